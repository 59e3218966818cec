!> Serial filters in the space of observations: EnSRF, EAKF and the rank histogram filter.
!>
!> Observations with independent errors act one after the other. Each changes its own prediction, and by regression the
!> predictions of later observations; what it did is kept, and state elements follow later, each on its own
!> (pl_local_regression; Anderson and Collins 2007, J. Atmos. Ocean. Technol. 24, 1452-1463). So a state element depends
!> on its own members and on the observations alone. For one observation the square root filter of Whitaker and Hamill
!> (2002, Mon. Weather Rev. 130, 1913-1924) and the adjustment filter of Anderson (2001, Mon. Weather Rev. 129,
!> 2884-2903) are the same: the mean moves by g (d - mean), anomalies shrink by sqrt(1 - g), g = var/(var + R).
module pl_serial_filter
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_regression, only: change_type
   use pl_localisation, only: localisation_type
   use pl_localisation_weights, only: localisation_weight
   use pl_observation_weights, only: pair_weight
   use pl_rank_histogram, only: update_by_ranks
   implicit none (type, external)
   private
   public :: kind_rank_histogram, kind_square_root, process_observations

   integer, parameter :: kind_square_root = 1    !! EnSRF, EAKF
   integer, parameter :: kind_rank_histogram = 2 !! rank histogram filter

contains

   !> Process all observations in their order, and keep what each changes.
   subroutine process_observations(kind, localisation, anomalies, mean, observed, variance, bounds, all, error)
      integer, intent(in) :: kind                         !! one of the kinds above
      type(localisation_type), intent(in) :: localisation
      real(rk), intent(in) :: anomalies(:, :)             !! predicted, inflated, (nmember, nobs) [unit of observation]
      real(rk), intent(in) :: mean(:)                     !! predicted, (nobs) [unit of the observation]
      real(rk), intent(in) :: observed(:)                 !! (nobs) [unit of the observation]
      real(rk), intent(in) :: variance(:)                 !! of the error, (nobs), above 0 [unit squared]
      real(rk), intent(in) :: bounds(:, :)                !! (2, nobs), lower and upper; infinite for none [unit]
      type(change_type), intent(out) :: all               !! changes by each observation
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or pairs without places
      real(rk), allocatable :: centre(:), distance(:), y(:, :)
      integer, allocatable :: found(:)
      integer :: j, nfound, nmember, nobs, stat
      nmember = size(anomalies, 1)
      nobs = size(anomalies, 2)
      if (.not. localisation%by_place) then
         call raise_error(error, error_input, "serial filters need coordinates of the observations; distances along a &
            &network are for the filters that analyse one domain at a time")
         return
      end if
      allocate (all%sensitivity(nmember, nobs), stat=stat)
      if (stat == 0) allocate (all%change(nmember, nobs), stat=stat)
      if (stat == 0) allocate (all%shift(nobs), stat=stat)
      if (stat == 0) allocate (found(nobs), stat=stat)
      if (stat == 0) allocate (distance(nobs), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the observations of a serial filter")
         return
      end if
      all%is_serial = .true.
      y = anomalies
      centre = mean
      do j = 1, nobs
         call change_prediction(kind, y(:, j), centre(j), observed(j), variance(j), bounds(:, j), all%sensitivity(:, j), &
                                all%change(:, j), all%shift(j))
         call localisation%find_place(j, found, distance, nfound)
         call change_later(localisation, all, j, found(:nfound), distance(:nfound), anomalies, y, centre)
      end do
   end subroutine process_observations

   !> What an observation does to its own prediction.
   subroutine change_prediction(kind, y, centre, observed, variance, bounds, sensitivity, change, shift)
      integer, intent(in) :: kind              !! one of the kinds above
      real(rk), intent(in) :: y(:)             !! anomalies, (nmember) [unit of the observation]
      real(rk), intent(in) :: centre           !! mean [unit of the observation]
      real(rk), intent(in) :: observed         !! [unit of the observation]
      real(rk), intent(in) :: variance         !! of the error [unit squared]
      real(rk), intent(in) :: bounds(2)        !! lower and upper [unit of the observation]
      real(rk), intent(out) :: sensitivity(:)  !! (nmember) [1/unit]
      real(rk), intent(out) :: change(:)       !! of the anomalies, (nmember) [unit]
      real(rk), intent(out) :: shift           !! of the mean [unit]
      real(rk) :: gain, square, values(size(y))
      square = sum(y*y)
      sensitivity = 0.0_rk
      change = 0.0_rk
      shift = 0.0_rk
      if (square <= tiny(1.0_rk)/epsilon(1.0_rk)) return ! no spread within the range of numbers: nothing to learn
      sensitivity = y/square
      select case (kind)
      case (kind_rank_histogram)
         values = min(max(centre + y, bounds(1)), bounds(2))
         call update_by_ranks(observed, sqrt(variance), bounds(1), bounds(2), values)
         values = values - centre
         shift = sum(values)/real(size(y), rk)
         change = values - shift - y
      case default
         square = square/real(size(y) - 1, rk)
         gain = square/(square + variance)
         shift = gain*(observed - centre)
         change = -gain/(1.0_rk + sqrt(variance/(square + variance)))*y
      end select
   end subroutine change_prediction

   !> What an observation does to the predictions of those that come later.
   subroutine change_later(localisation, all, j, found, distance, prior, y, centre)
      type(localisation_type), intent(in) :: localisation
      type(change_type), intent(in) :: all
      integer, intent(in) :: j               !! the observation
      integer, intent(in) :: found(:)        !! observations around it
      real(rk), intent(in) :: distance(:)    !! their distances [as the radius]
      real(rk), intent(in) :: prior(:, :)    !! anomalies before all observations, (nmember, nobs) [unit]
      real(rk), intent(inout) :: y(:, :)     !! anomalies of the predictions, (nmember, nobs) [unit]
      real(rk), intent(inout) :: centre(:)   !! means of the predictions, (nobs) [unit]
      real(rk) :: factor
      integer :: i, k
      do i = 1, size(found)
         k = found(i)
         if (k <= j) cycle
         factor = localisation_weight(distance(i), localisation%radius(j), localisation%taper(j))
         factor = pair_weight(localisation, j, k, factor, localisation%depth_radius(j), prior(:, j), prior(:, k))
         if (factor <= 0.0_rk) cycle
         factor = factor*dot_product(y(:, k), all%sensitivity(:, j))
         centre(k) = centre(k) + factor*all%shift(j)
         y(:, k) = y(:, k) + factor*all%change(:, j)
      end do
   end subroutine change_later

end module pl_serial_filter
