!> Facade: which observations the local domains use.
module pl_api_localisation
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_localisation, only: localisation_type
   use pl_localisation_weights, only: localisation_weight
   implicit none (type, external)
   private
   public :: localisation_by_distance, localisation_by_place, localisation_handle, localisation_set_depth
   public :: localisation_set_errors, localisation_set_threshold, localisation_taper

   !> Owner of the Fortran memory of a localisation.
   type :: localisation_handle
      integer :: ndomain = 0 !! local domains
      type(localisation_type) :: localisation
   end type localisation_handle

contains

   !> Link domains and observations by place.
   subroutine localisation_by_place(self, observation_places, domain_places, radius, taper, metric, period, ierr, errmsg)
      type(localisation_handle), intent(inout) :: self
      real(rk), intent(in) :: observation_places(:, :) !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: domain_places(:, :)      !! (ndim, ndomain) [as observation_places]
      real(rk), intent(in) :: radius(:)                !! (nobs), support radius, above 0 [m or as places]
      integer, intent(in) :: taper(:)                  !! (nobs), 0 none, 1 exponential, 2 Gaspari and Cohn
      integer, intent(in) :: metric                    !! 0 Euclidean, 1 great circle
      real(rk), intent(in) :: period(:)                !! (ndim), 0 for an axis that is not periodic [as places]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (size(observation_places, 2) < 1 .or. size(radius) /= size(observation_places, 2) .or. &
          size(taper) /= size(radius) .or. size(domain_places, 1) /= size(observation_places, 1) .or. &
          size(period) /= size(observation_places, 1)) then
         call raise_error(error, error_input, "coordinates must have one column per observation, of which there is at &
            &least one, and the same components for observations, domains and periods; radius and taper one number per &
            &observation")
      else if (.not. (all(ieee_is_finite(observation_places)) .and. all(ieee_is_finite(domain_places)))) then
         call raise_error(error, error_input, "a coordinate is not finite")
      else if (.not. all(radius > 0.0_rk)) then
         call raise_error(error, error_input, "the localisation radius must be above 0")
      else
         call self%localisation%create(observation_places, domain_places, radius, taper, metric, period, error)
         self%ndomain = size(domain_places, 2)
      end if
      call report(error, ierr, errmsg)
   end subroutine localisation_by_place

   !> Link domains and observations by a list of distances, sorted by domain.
   subroutine localisation_by_distance(self, start, observation, distance, radius, taper, ierr, errmsg)
      type(localisation_handle), intent(inout) :: self
      integer, intent(in) :: start(:)       !! (ndomain + 1), from 1
      integer, intent(in) :: observation(:) !! (npair), from 1
      real(rk), intent(in) :: distance(:)   !! (npair) [m or any length]
      real(rk), intent(in) :: radius(:)     !! (nobs), support radius, above 0 [as distance]
      integer, intent(in) :: taper(:)       !! (nobs), 0 none, 1 exponential, 2 Gaspari and Cohn
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: n
      n = size(start)
      if (size(distance) /= size(observation) .or. size(taper) /= size(radius)) then
         call raise_error(error, error_input, "a distance for each pair, and a radius and taper for each observation &
            &are needed")
      else if (start(1) /= 1 .or. any(start(2:) < start(:n - 1)) .or. start(n) /= size(observation) + 1 .or. &
               any(observation < 1 .or. observation > size(radius)) .or. .not. all(distance >= 0.0_rk)) then
         call raise_error(error, error_input, "the list of distances points outside the domains or observations, or &
            &a distance is negative")
      else if (.not. all(radius > 0.0_rk)) then
         call raise_error(error, error_input, "the localisation radius must be above 0")
      else
         call self%localisation%create_pairs(start, observation, distance, radius, taper)
         self%ndomain = n - 1
      end if
      call report(error, ierr, errmsg)
   end subroutine localisation_by_distance

   !> Let weights fall with the difference in depth as well.
   subroutine localisation_set_depth(self, domain_depth, observation_depth, radius, taper, ierr, errmsg)
      type(localisation_handle), intent(inout) :: self
      real(rk), intent(in) :: domain_depth(:)      !! (ndomain) [m]
      real(rk), intent(in) :: observation_depth(:) !! (nobs), NaN for every depth [m]
      real(rk), intent(in) :: radius(:)            !! (nobs), support over depth, above 0 [m]
      integer, intent(in) :: taper                 !! 0 none, 1 exponential, 2 Gaspari and Cohn
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (size(domain_depth) /= self%localisation%ndomain .or. size(observation_depth) /= self%localisation%nobs .or. &
          size(radius) /= self%localisation%nobs) then
         call raise_error(error, error_input, "a depth for each domain and observation, and a radius over depth for &
            &each observation are needed")
      else if (.not. (all(ieee_is_finite(domain_depth)) .and. all(radius > 0.0_rk))) then
         call raise_error(error, error_input, "depths must be finite and radii over depth above 0")
      else
         call self%localisation%set_depth(domain_depth, observation_depth, radius, taper)
      end if
      call report(error, ierr, errmsg)
   end subroutine localisation_set_depth

   !> Let errors of observations be correlated within groups.
   subroutine localisation_set_errors(self, group, length, ierr, errmsg)
      type(localisation_handle), intent(inout) :: self
      integer, intent(in) :: group(:)   !! (nobs), group of each observation
      real(rk), intent(in) :: length(:) !! (nobs), correlation length, 0 for none [m or as places]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (size(group) /= self%localisation%nobs .or. size(length) /= self%localisation%nobs) then
         call raise_error(error, error_input, "a group and a length for each observation are needed")
      else if (.not. all(length >= 0.0_rk)) then
         call raise_error(error, error_input, "lengths of error correlation must not be negative")
      else
         call self%localisation%set_errors(group, length, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine localisation_set_errors

   !> Let weights fall with the sample correlation of state and observation.
   subroutine localisation_set_threshold(self, threshold, ierr, errmsg)
      type(localisation_handle), intent(inout) :: self
      real(rk), intent(in) :: threshold !! in (0, 1) [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (.not. (threshold > 0.0_rk .and. threshold < 1.0_rk)) then
         call raise_error(error, error_input, "the threshold of the correlation must lie between 0 and 1")
      else
         self%localisation%threshold = threshold
      end if
      call report(error, ierr, errmsg)
   end subroutine localisation_set_threshold

   !> Localisation weights for a list of distances.
   subroutine localisation_taper(distances, weights, radius, taper, ierr, errmsg)
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
   end subroutine localisation_taper

end module pl_api_localisation
