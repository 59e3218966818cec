!> Facade: ensemble filters on plain arrays.
!>
!> A rotation or perturbations that are not wanted come as an array of one element.
module pl_api_assimilate
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: omp_lib, only: omp_get_max_threads
   use pl_api_localisation, only: localisation_handle
   use pl_covariance_filter, only: solve_representers
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_local_analysis, only: local_option_type
   use pl_local_filters, only: analyse_domains
   use pl_local_kalman, only: kalman_update_type
   use pl_local_regression, only: change_type, regression_update_type
   use pl_local_update, only: local_problem_type
   use pl_local_weights, only: weights_update_type
   use pl_localisation, only: localisation_type
   use pl_serial_filter, only: process_observations
   use pl_transform_knetf, only: hybrid_option_type
   use pl_transform_etkf, only: kind_enkf
   use pl_transform_global, only: global_option_type, global_transform_type
   use pl_transform_weights, only: weights_option_type
   implicit none (type, external)
   private
   public :: assimilate_by_weights, assimilate_covariance, assimilate_global, assimilate_local, assimilate_serial
   public :: assimilate_weights

contains

   !> Update an ensemble with a global filter.
   subroutine assimilate_global(ensemble, anomalies, innovations, kind, inflation, relaxation, to_perturbations, &
                                rotation, nthread, ierr, errmsg)
      real(rk), intent(inout) :: ensemble(:, :) !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)   !! (nmember, nobs), inflated, whitened with the error covariance [1]
      real(rk), intent(in) :: innovations(:, :) !! whitened; (nmember, nobs) for EnKF, (1, nobs) for others [1]
      integer, intent(in) :: kind               !! 1 ETKF, 2 DEnKF, 3 EnKF
      real(rk), intent(in) :: inflation         !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation        !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations   !! 0: relax to the prior spread; 1: to the prior anomalies
      real(rk), intent(in) :: rotation(:, :)    !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread            !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(global_transform_type) :: transform
      call check_ensemble(ensemble, anomalies, size(innovations, 2), error)
      if (.not. allocated(error)) then
         if (size(innovations, 1) /= merge(size(ensemble, 1), 1, kind == kind_enkf)) then
            call raise_error(error, error_input, "innovations must have one row, or one row per member for the EnKF")
         else if (.not. all(ieee_is_finite(innovations))) then
            call raise_error(error, error_input, "an innovation is not finite")
         end if
      end if
      if (.not. allocated(error)) call transform%create(kind, anomalies, innovations, error)
      if (.not. allocated(error)) then
         call transform%apply(global_option(ensemble, inflation, relaxation, to_perturbations, rotation), &
                              threads(nthread), ensemble)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_global

   !> Update an ensemble by the weights of a transform.
   subroutine assimilate_weights(ensemble, weights, inflation, relaxation, to_perturbations, rotation, nthread, ierr, &
                                 errmsg)
      real(rk), intent(inout) :: ensemble(:, :) !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: weights(:, :)     !! (nmember, nmember): deviations from the prior mean are x'^T W [1]
      real(rk), intent(in) :: inflation         !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation        !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations   !! 0: relax to the prior spread; 1: to the prior anomalies
      real(rk), intent(in) :: rotation(:, :)    !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread            !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(global_transform_type) :: transform
      if (size(weights, 1) /= size(ensemble, 1) .or. size(weights, 2) /= size(ensemble, 1) .or. size(ensemble, 1) < 2) then
         call raise_error(error, error_input, "weights must have one row and one column per member, of which there are &
            &at least two")
      else if (.not. (all(ieee_is_finite(ensemble)) .and. all(ieee_is_finite(weights)))) then
         call raise_error(error, error_input, "an ensemble member or a weight is not finite")
      else
         call transform%take_weights(weights)
         call transform%apply(global_option(ensemble, inflation, relaxation, to_perturbations, rotation), &
                              threads(nthread), ensemble)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_weights

   !> Update an ensemble with a local filter that works in the space of members.
   subroutine assimilate_local(localisation, ensemble, anomalies, innovations, perturbations, domain_start, &
                               domain_states, kind, inflation, relaxation, to_perturbations, inflate_unobserved, &
                               rotation, nthread, ierr, errmsg)
      type(localisation_handle), intent(in) :: localisation
      real(rk), intent(inout) :: ensemble(:, :)        !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)          !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:)           !! (nobs), over the error deviation [1]
      real(rk), intent(in) :: perturbations(:, :)      !! (nmember, nobs), of unit variance, for the EnKF [1]
      integer, intent(in) :: domain_start(:)           !! (ndomain + 1), from 1
      integer, intent(in) :: domain_states(:)          !! (nstate), state elements by domain, from 1
      integer, intent(in) :: kind                      !! 1 ETKF, 2 DEnKF, 3 EnKF
      real(rk), intent(in) :: inflation                !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation               !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations          !! 0: relax to the prior spread; 1: to the prior anomalies
      integer, intent(in) :: inflate_unobserved        !! 1: inflate domains without observations
      real(rk), intent(in) :: rotation(:, :)           !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread                   !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(kalman_update_type) :: filter
      type(local_problem_type) :: problem
      call check_local(localisation, ensemble, anomalies, innovations, domain_start, domain_states, error)
      if (.not. allocated(error) .and. kind == kind_enkf) then
         if (any(shape(perturbations) /= shape(anomalies))) then
            call raise_error(error, error_input, "the EnKF needs a perturbation for each member and observation")
         end if
      end if
      if (.not. allocated(error)) then
         problem = local_problem_type(size(ensemble, 1), anomalies, innovations, perturbations)
         filter%kind = kind
         call analyse_domains( &
            filter, local_option(ensemble, inflation, relaxation, to_perturbations, inflate_unobserved, rotation), &
            threads(nthread), problem, localisation%localisation, domain_start, domain_states, ensemble, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_local

   !> Update an ensemble with a local filter that works by weights.
   subroutine assimilate_by_weights(localisation, ensemble, anomalies, innovations, domain_start, domain_states, method, &
                                    likelihood, least_effective, root, hybrid_variant, hybrid_rule, hybrid_weight, &
                                    hybrid_norm, inflation, relaxation, to_perturbations, inflate_unobserved, rotation, &
                                    nthread, ierr, errmsg)
      type(localisation_handle), intent(in) :: localisation
      real(rk), intent(inout) :: ensemble(:, :)        !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)          !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:)           !! (nobs), over the error deviation [1]
      integer, intent(in) :: domain_start(:)           !! (ndomain + 1), from 1
      integer, intent(in) :: domain_states(:)          !! (nstate), state elements by domain, from 1
      integer, intent(in) :: method                    !! see pl_transform_weights
      integer, intent(in) :: likelihood                !! 1 Gaussian, 2 Laplace
      real(rk), intent(in) :: least_effective          !! NETF: least effective sample size over N, 0 to 1 [1]
      integer, intent(in) :: root                      !! SEIK: 1 symmetric, 2 Cholesky
      integer, intent(in) :: hybrid_variant            !! 1 HNK, 2 HKN, 3 HSync
      integer, intent(in) :: hybrid_rule               !! 1 fixed, 2 lin, 3 alpha, 4 ska, 5 sklin
      real(rk), intent(in) :: hybrid_weight            !! see pl_transform_knetf, 0 to 1 [1]
      real(rk), intent(in) :: hybrid_norm              !! see pl_transform_knetf; 0: number of members [1]
      real(rk), intent(in) :: inflation                !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation               !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations          !! 0: relax to the prior spread; 1: to the prior anomalies
      integer, intent(in) :: inflate_unobserved        !! 1: inflate domains without observations
      real(rk), intent(in) :: rotation(:, :)           !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread                   !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(local_problem_type) :: problem
      type(weights_update_type) :: filter
      call check_local(localisation, ensemble, anomalies, innovations, domain_start, domain_states, error)
      if (.not. allocated(error)) then
         filter%option = weights_option_type( &
            method=method, likelihood=likelihood, root=root, least_effective=least_effective, &
            hybrid=hybrid_option_type(hybrid_variant, hybrid_rule, hybrid_weight, hybrid_norm))
         problem = local_problem_type(size(ensemble, 1), anomalies, innovations, anomalies(:, :1))
         call analyse_domains( &
            filter, local_option(ensemble, inflation, relaxation, to_perturbations, inflate_unobserved, rotation), &
            threads(nthread), problem, localisation%localisation, domain_start, domain_states, ensemble, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_by_weights

   !> Update an ensemble with a serial filter.
   subroutine assimilate_serial(localisation, ensemble, anomalies, mean, observed, variance, bounds, domain_start, &
                                domain_states, kind, inflation, relaxation, to_perturbations, inflate_unobserved, &
                                rotation, nthread, ierr, errmsg)
      type(localisation_handle), intent(in) :: localisation
      real(rk), intent(inout) :: ensemble(:, :)        !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)          !! (nmember, nobs), predicted, inflated [unit of the observation]
      real(rk), intent(in) :: mean(:)                  !! (nobs), predicted [unit of the observation]
      real(rk), intent(in) :: observed(:)              !! (nobs) [unit of the observation]
      real(rk), intent(in) :: variance(:)              !! (nobs), of the errors, above 0 [unit squared]
      real(rk), intent(in) :: bounds(:, :)             !! (2, nobs), infinite for none [unit of the observation]
      integer, intent(in) :: domain_start(:)           !! (ndomain + 1), from 1
      integer, intent(in) :: domain_states(:)          !! (nstate), state elements by domain, from 1
      integer, intent(in) :: kind                      !! 1 square root, 2 rank histogram
      real(rk), intent(in) :: inflation                !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation               !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations          !! 0: relax to the prior spread; 1: to the prior anomalies
      integer, intent(in) :: inflate_unobserved        !! 1: inflate domains without observations
      real(rk), intent(in) :: rotation(:, :)           !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread                   !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(change_type), target :: all_changes
      type(error_type), allocatable :: error
      type(local_problem_type) :: problem
      type(regression_update_type) :: filter
      call check_local(localisation, ensemble, anomalies, observed, domain_start, domain_states, error)
      if (.not. allocated(error)) then
         if (size(mean) /= size(observed) .or. size(variance) /= size(observed) .or. &
             any(shape(bounds) /= [2, size(observed)])) then
            call raise_error(error, error_input, "mean, variance and bounds are needed for each observation")
         else if (.not. (all(ieee_is_finite(mean)) .and. all(variance > 0.0_rk) .and. all(ieee_is_finite(variance)))) then
            call raise_error(error, error_input, "means must be finite and error variances above 0")
         end if
      end if
      if (.not. allocated(error)) then
         call process_observations(kind, localisation%localisation, anomalies, mean, observed, variance, bounds, &
                                   all_changes, error)
      end if
      if (.not. allocated(error)) then
         problem = local_problem_type(size(ensemble, 1), anomalies, observed, anomalies)
         filter%all => all_changes
         call analyse_domains( &
            filter, local_option(ensemble, inflation, relaxation, to_perturbations, inflate_unobserved, rotation), &
            threads(nthread), problem, localisation%localisation, domain_start, domain_states, ensemble, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_serial

   !> Update an ensemble with the EnKF with localised covariances.
   subroutine assimilate_covariance(localisation, ensemble, anomalies, innovations, domain_start, domain_states, &
                                    inflation, relaxation, to_perturbations, inflate_unobserved, rotation, nthread, &
                                    ierr, errmsg)
      type(localisation_handle), intent(in) :: localisation
      real(rk), intent(inout) :: ensemble(:, :)        !! (nmember, nstate), prior in, analysis out [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)          !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:, :)        !! (nmember, nobs), perturbed, over the error deviation [1]
      integer, intent(in) :: domain_start(:)           !! (ndomain + 1), from 1
      integer, intent(in) :: domain_states(:)          !! (nstate), state elements by domain, from 1
      real(rk), intent(in) :: inflation                !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation               !! relaxation to the prior, 0 to 1 [1]
      integer, intent(in) :: to_perturbations          !! 0: relax to the prior spread; 1: to the prior anomalies
      integer, intent(in) :: inflate_unobserved        !! 1: inflate domains without observations
      real(rk), intent(in) :: rotation(:, :)           !! (nmember, nmember), mixes the anomalies [1]
      integer, intent(in) :: nthread                   !! threads; 0: as many as OpenMP would use [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(change_type), target :: all_changes
      type(error_type), allocatable :: error
      type(local_problem_type) :: problem
      type(regression_update_type) :: filter
      if (any(shape(innovations) /= shape(anomalies))) then
         call raise_error(error, error_input, "innovations are needed for each member and observation")
      else
         call check_local(localisation, ensemble, anomalies, innovations(1, :), domain_start, domain_states, error)
      end if
      if (.not. allocated(error)) then
         call solve_representers(localisation%localisation, threads(nthread), anomalies, innovations, all_changes, error)
      end if
      if (.not. allocated(error)) then
         problem = local_problem_type(size(ensemble, 1), anomalies, innovations(1, :), innovations)
         filter%all => all_changes
         call analyse_domains( &
            filter, local_option(ensemble, inflation, relaxation, to_perturbations, inflate_unobserved, rotation), &
            threads(nthread), problem, localisation%localisation, domain_start, domain_states, ensemble, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine assimilate_covariance

   !> Threads to use.
   integer function threads(nthread)
      integer, intent(in) :: nthread !! as asked; 0: default
      threads = nthread
      if (nthread <= 0) threads = omp_get_max_threads()
   end function threads

   !> Options of a global filter.
   function global_option(ensemble, inflation, relaxation, to_perturbations, rotation) result(option)
      real(rk), intent(in) :: ensemble(:, :)  !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: inflation       !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation      !! relaxation to the prior [1]
      integer, intent(in) :: to_perturbations !! 1: relax to the prior anomalies
      real(rk), intent(in) :: rotation(:, :)  !! (nmember, nmember), or one element for none [1]
      type(global_option_type) :: option
      option%inflation = inflation
      option%relaxation = relaxation
      option%to_perturbations = to_perturbations /= 0
      if (size(rotation, 1) == size(ensemble, 1)) option%rotation = rotation
   end function global_option

   !> Options of a local filter.
   function local_option(ensemble, inflation, relaxation, to_perturbations, inflate_unobserved, rotation) result(option)
      real(rk), intent(in) :: ensemble(:, :)    !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: inflation         !! factor on the prior anomalies [1]
      real(rk), intent(in) :: relaxation        !! relaxation to the prior [1]
      integer, intent(in) :: to_perturbations   !! 1: relax to the prior anomalies
      integer, intent(in) :: inflate_unobserved !! 1: inflate domains without observations
      real(rk), intent(in) :: rotation(:, :)    !! (nmember, nmember), or one element for none [1]
      type(local_option_type) :: option
      option%inflation = inflation
      option%relaxation = relaxation
      option%to_perturbations = to_perturbations /= 0
      option%is_unobserved_inflated = inflate_unobserved /= 0
      if (size(rotation, 1) == size(ensemble, 1)) option%rotation = rotation
   end function local_option

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

   !> Shapes and values of a local analysis.
   subroutine check_local(handle, ensemble, anomalies, innovations, domain_start, domain_states, error)
      type(localisation_handle), intent(in) :: handle
      real(rk), intent(in) :: ensemble(:, :)              !! (nmember, nstate) [unit of the state]
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs) [1]
      real(rk), intent(in) :: innovations(:)              !! (nobs) [1]
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      integer :: n
      call check_ensemble(ensemble, anomalies, size(innovations), error)
      if (allocated(error)) return
      n = size(domain_start)
      if (handle%localisation%nobs /= size(innovations)) then
         call raise_error(error, error_input, "the localisation was made for another number of observations")
      else if (n /= handle%localisation%ndomain + 1 .or. size(domain_states) /= size(ensemble, 2)) then
         call raise_error(error, error_input, "the list of domains does not fit the localisation or the state")
      else if (domain_start(1) /= 1 .or. domain_start(n) /= size(domain_states) + 1 .or. &
               any(domain_start(2:) < domain_start(:n - 1)) .or. &
               any(domain_states < 1 .or. domain_states > size(ensemble, 2))) then
         call raise_error(error, error_input, "the list of domains points outside the state")
      else if (.not. all(ieee_is_finite(innovations))) then
         call raise_error(error, error_input, "an innovation is not finite")
      end if
   end subroutine check_local

end module pl_api_assimilate
