!> State elements follow changes of predicted observations by linear regression.
!>
!> Serial filters and filters that localise the covariance both end here: the change of a state element by observation j
!> is w_j (x'^T s_j) c_j, with the sensitivity s_j (anomalies of the prediction over their sum of squares) and the change
!> c_j that each member's prediction has. Serial filters regress on the anomalies that earlier observations have left
!> (Anderson 2003, Mon. Weather Rev. 131, 634-642), the others on those of the prior.
module pl_local_regression
   use pl_error, only: error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_update, only: local_update_type
   implicit none (type, external)
   private
   public :: change_type, regression_update_type

   !> Changes of all predicted observations.
   type :: change_type
      logical :: is_serial = .true.              !! whether observations act one after the other
      real(rk), allocatable :: sensitivity(:, :) !! s, (nmember, nobs) [1/unit of the observation]
      real(rk), allocatable :: change(:, :)      !! of the anomalies, (nmember, nobs) [unit of the observation]
      real(rk), allocatable :: shift(:)          !! of the mean, (nobs) [unit of the observation]
   end type change_type

   !> The observations of a domain, in their order.
   type, extends(local_update_type) :: regression_update_type
      type(change_type), pointer :: all => null() !! changes that all domains regress on, kept by the caller
      integer :: nmember = 0
      integer :: nobs = 0
      integer, allocatable :: found(:)   !! observations, in rising order
      real(rk), allocatable :: weight(:) !! [1]
   contains
      procedure :: create => regression_create
      procedure :: prepare => regression_prepare
      procedure :: apply => regression_apply
   end type regression_update_type

contains

   !> Take up the number of members; room for observations grows with need.
   subroutine regression_create(self, nmember, error)
      class(regression_update_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      type(error_type), allocatable, intent(out) :: error !! none
      self%nmember = nmember
   end subroutine regression_create

   !> Take up the observations of a domain, in rising order.
   subroutine regression_prepare(self, found, weight, error)
      class(regression_update_type), intent(inout) :: self
      integer, intent(in) :: found(:)                     !! observations, at least one
      real(rk), intent(in) :: weight(:)                   !! their weights, above 0 [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: gap, i, j, one, stat
      real(rk) :: its_weight
      self%nobs = size(found)
      if (allocated(self%found)) then
         if (size(self%found) < self%nobs) deallocate (self%found, self%weight)
      end if
      if (.not. allocated(self%found)) then
         allocate (self%found(2*self%nobs), stat=stat)
         if (stat == 0) allocate (self%weight(2*self%nobs), stat=stat)
         if (stat /= 0) then
            call raise_error(error, error_state, "not enough memory for the observations of a local analysis; use a &
               &smaller radius")
            return
         end if
      end if
      self%found(:self%nobs) = found
      self%weight(:self%nobs) = weight
      if (.not. self%all%is_serial) return
      gap = 1 ! Shell's sort with the gaps of Knuth (1973), section 5.2.1
      do while (3*gap + 1 < self%nobs)
         gap = 3*gap + 1
      end do
      do while (gap >= 1)
         do i = gap + 1, self%nobs
            one = self%found(i)
            its_weight = self%weight(i)
            j = i
            do while (j > gap)
               if (self%found(j - gap) <= one) exit
               self%found(j) = self%found(j - gap)
               self%weight(j) = self%weight(j - gap)
               j = j - gap
            end do
            self%found(j) = one
            self%weight(j) = its_weight
         end do
         gap = gap/3
      end do
   end subroutine regression_prepare

   !> Update state elements; see `apply_update`.
   subroutine regression_apply(self, nused, block)
      class(regression_update_type), intent(inout) :: self
      integer, intent(in) :: nused                      !! lanes with state elements
      real(rk), intent(inout) :: block(:, :) !! (lanes, nmember), prior anomalies in, deviations out [any unit]
      real(rk) :: x(self%nmember)
      integer :: lane
      do lane = 1, nused
         x = block(lane, :self%nmember)
         call regress(self, self%nmember, x)
         block(lane, :self%nmember) = x
      end do
   end subroutine regression_apply

   !> Add what all observations of the domain change in one state element.
   pure subroutine regress(self, nmember, x)
      type(regression_update_type), intent(in) :: self
      integer, intent(in) :: nmember          !! members [1]
      real(rk), intent(inout) :: x(nmember)   !! prior anomalies in, deviations from the prior mean out [any unit]
      real(rk) :: factor, prior(nmember), shift
      integer :: i, j, k
      shift = 0.0_rk
      prior = x
      associate (a => self%all)
         do i = 1, self%nobs
            j = self%found(i)
            factor = 0.0_rk
            if (a%is_serial) then
               !$omp simd reduction(+:factor)
               do k = 1, nmember
                  factor = factor + x(k)*a%sensitivity(k, j)
               end do
            else
               !$omp simd reduction(+:factor)
               do k = 1, nmember
                  factor = factor + prior(k)*a%sensitivity(k, j)
               end do
            end if
            factor = factor*self%weight(i)
            shift = shift + factor*a%shift(j)
            !$omp simd
            do k = 1, nmember
               x(k) = x(k) + factor*a%change(k, j)
            end do
         end do
      end associate
      x = x + shift
   end subroutine regress

end module pl_local_regression
