!> Facade: ensemble filters on plain arrays.
module pl_api_assimilate
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: omp_lib, only: omp_get_max_threads
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_letkf_local, only: analyse_domains, local_option_type
   use pl_localisation_weights, only: localisation_weight
   use pl_transform_global, only: global_transform_type
   implicit none (type, external)
   private
   public :: assimilate_global, assimilate_local, assimilate_taper

contains

   !> Update an ensemble with a global filter.
   subroutine assimilate_global(ensemble, anomalies, innovations, method, inflation, relaxation, nthread, ierr, errmsg)
      real(rk), intent(inout) :: ensemble(:, :) !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)   !! (nmember, nobs), inflated, whitened with the error covariance [1]
      real(rk), intent(in) :: innovations(:, :) !! whitened; (1, nobs) for ETKF, (nmember, nobs) for EnKF [1]
      integer, intent(in) :: method             !! 1 ETKF, 2 EnKF
      real(rk), intent(in) :: inflation         !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation        !! relaxation to the prior spread, 0 to 1 [1]
      integer, intent(in) :: nthread            !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(global_transform_type) :: transform
      type(error_type), allocatable :: error
      call check_ensemble(ensemble, anomalies, size(innovations, 2), error)
      if (.not. allocated(error)) then
         if (size(innovations, 1) /= 1 .and. size(innovations, 1) /= size(ensemble, 1)) then
            call raise_error(error, error_input, "innovations must have one row, or one row per member")
         else if (.not. all(ieee_is_finite(innovations))) then
            call raise_error(error, error_input, "an innovation is not finite")
         end if
      end if
      if (.not. allocated(error)) call transform%create(method, anomalies, innovations, error)
      if (.not. allocated(error)) call transform%apply(inflation, relaxation, threads(nthread), ensemble)
      call report(error, ierr, errmsg)
   end subroutine assimilate_global

   !> Update an ensemble with the local ensemble transform Kalman filter.
   subroutine assimilate_local(ensemble, anomalies, innovations, observation_places, domain_places, domain_start, &
                               domain_states, radius, metric, taper, inflation, relaxation, nthread, ierr, errmsg)
      real(rk), intent(inout) :: ensemble(:, :)        !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)          !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:)           !! (nobs), over the error deviation [1]
      real(rk), intent(in) :: observation_places(:, :) !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: domain_places(:, :)      !! (ndim, ndomain) [as observation_places]
      integer, intent(in) :: domain_start(:)           !! (ndomain + 1), from 1
      integer, intent(in) :: domain_states(:)          !! (nstate), state elements by domain, from 1
      real(rk), intent(in) :: radius                   !! support radius [m or as observation_places]
      integer, intent(in) :: metric                    !! 0 Euclidean, 1 great circle
      integer, intent(in) :: taper                     !! 0 none, 1 exponential, 2 Gaspari and Cohn
      real(rk), intent(in) :: inflation                !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation               !! relaxation to the prior spread, 0 to 1 [1]
      integer, intent(in) :: nthread                   !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(local_option_type) :: option
      call check_ensemble(ensemble, anomalies, size(innovations), error)
      if (.not. allocated(error)) then
         call check_domains(ensemble, innovations, observation_places, domain_places, domain_start, domain_states, &
                            error)
      end if
      if (.not. allocated(error) .and. .not. radius > 0.0_rk) then
         call raise_error(error, error_input, "the localisation radius must be above 0")
      end if
      if (.not. allocated(error)) then
         option = local_option_type(radius, inflation, relaxation, metric, taper, threads(nthread))
         call analyse_domains(option, anomalies, innovations, observation_places, domain_places, domain_start, &
                              domain_states, ensemble, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_local

   !> Localisation weights for a list of distances.
   subroutine assimilate_taper(distances, weights, radius, taper, ierr, errmsg)
      real(rk), intent(in) :: distances(:)  !! (n), at least 0 [m or as radius]
      real(rk), intent(inout) :: weights(:) !! (n), the weights [1]
      real(rk), intent(in) :: radius        !! support radius [m or any length]
      integer, intent(in) :: taper          !! 0 none, 1 exponential, 2 Gaspari and Cohn
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (size(distances) /= size(weights)) then
         call raise_error(error, error_input, "distances and weights must have the same length")
      else if (.not. radius > 0.0_rk) then
         call raise_error(error, error_input, "the localisation radius must be above 0")
      else
         weights = localisation_weight(distances, radius, taper)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_taper

   !> Threads to use.
   integer function threads(nthread)
      integer, intent(in) :: nthread !! as asked; 0: default
      threads = nthread
      if (nthread <= 0) threads = omp_get_max_threads()
   end function threads

   !> Shapes and values that all filters share.
   subroutine check_ensemble(ensemble, anomalies, nobs, error)
      real(rk), intent(in) :: ensemble(:, :)              !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs) [1]
      integer, intent(in) :: nobs                         !! number of innovations
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      if (size(ensemble, 1) < 2) then
         call raise_error(error, error_input, "a filter needs at least two members")
      else if (size(anomalies, 1) /= size(ensemble, 1) .or. size(anomalies, 2) /= nobs .or. nobs < 1) then
         call raise_error(error, error_input, "predicted observations must have the members of the ensemble and one &
            &column for each of at least one innovation")
      else if (.not. all(ieee_is_finite(ensemble))) then
         call raise_error(error, error_input, "an ensemble member is not finite")
      else if (.not. all(ieee_is_finite(anomalies))) then
         call raise_error(error, error_input, "a predicted observation is not finite")
      end if
   end subroutine check_ensemble

   !> Shapes and values of the local domains.
   subroutine check_domains(ensemble, innovations, observation_places, domain_places, domain_start, domain_states, &
                            error)
      real(rk), intent(in) :: ensemble(:, :)              !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: innovations(:)              !! (nobs) [1]
      real(rk), intent(in) :: observation_places(:, :)    !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: domain_places(:, :)         !! (ndim, ndomain) [as observation_places]
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      integer :: n
      n = size(domain_start)
      if (size(observation_places, 2) /= size(innovations) .or. &
          size(domain_places, 1) /= size(observation_places, 1)) then
         call raise_error(error, error_input, "coordinates must have one column per observation and the same &
            &components for observations and domains")
      else if (n /= size(domain_places, 2) + 1 .or. size(domain_states) /= size(ensemble, 2)) then
         call raise_error(error, error_input, "the list of domains does not fit the coordinates or the state")
      else if (domain_start(1) /= 1 .or. domain_start(n) /= size(domain_states) + 1 .or. &
               any(domain_start(2:) < domain_start(:n - 1)) .or. &
               any(domain_states < 1 .or. domain_states > size(ensemble, 2))) then
         call raise_error(error, error_input, "the list of domains points outside the state")
      else if (.not. (all(ieee_is_finite(innovations)) .and. all(ieee_is_finite(observation_places)) .and. &
                      all(ieee_is_finite(domain_places)))) then
         call raise_error(error, error_input, "an innovation or a coordinate is not finite")
      end if
   end subroutine check_domains

end module pl_api_assimilate
