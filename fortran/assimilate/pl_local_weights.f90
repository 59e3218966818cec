!> Local filters that work by a matrix of weights: LNETF, LKNETF, LSEIK.
module pl_local_weights
   use pl_error, only: error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_kalman, only: load_observations
   use pl_local_update, only: local_update_type
   use pl_transform_weights, only: weights_option_type, weights_transform_type
   implicit none (type, external)
   private
   public :: weights_update_type

   !> A matrix of weights for each domain; the work space is used again for the next one.
   type, extends(local_update_type) :: weights_update_type
      type(weights_option_type) :: option        !! which transform
      type(weights_transform_type) :: transform
      real(rk), allocatable :: anomalies(:, :)   !! of the domain, (nmember, room) [1]
      real(rk), allocatable :: innovations(:, :) !! of the domain, (1, room) [1]
      real(rk), allocatable :: across(:, :)      !! W transposed, (nmember, nmember) [1]
      real(rk), allocatable :: matrix(:, :)      !! W, (nmember, nmember) [1]
   contains
      procedure :: create => weights_create
      procedure :: prepare => weights_prepare
      procedure :: apply => weights_apply
   end type weights_update_type

contains

   !> Allocate work space.
   subroutine weights_create(self, nmember, error)
      class(weights_update_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      type(error_type), allocatable, intent(out) :: error !! unknown option, not enough memory
      integer :: stat
      allocate (self%matrix(nmember, nmember), stat=stat)
      if (stat == 0) allocate (self%across(nmember, nmember), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the weights of a local analysis; use fewer threads")
         return
      end if
      call self%transform%create(self%option, nmember, error)
   end subroutine weights_create

   !> Weights from the observations of a domain.
   subroutine weights_prepare(self, found, weight, error)
      class(weights_update_type), intent(inout) :: self
      integer, intent(in) :: found(:)                     !! observations, at least one
      real(rk), intent(in) :: weight(:)                   !! their weights, above 0 [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or no convergence
      integer :: n, nmember, stat
      n = size(found)
      nmember = size(self%matrix, 1)
      stat = 0
      if (allocated(self%innovations)) then
         if (size(self%innovations, 2) < n) deallocate (self%innovations, self%anomalies)
      end if
      if (.not. allocated(self%innovations)) then
         allocate (self%innovations(1, 2*n), stat=stat)
         if (stat == 0) allocate (self%anomalies(nmember, 2*n), stat=stat)
      end if
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the observations of a local analysis; use a &
            &smaller radius")
         return
      end if
      call load_observations(self%problem, self%localisation, found, weight, self%anomalies(:, :n), &
                             self%innovations(1, :n), error)
      if (allocated(error)) return
      call self%transform%compute(n, self%anomalies(:, :n), self%innovations(:, :n), self%matrix, error)
      if (.not. allocated(error)) self%across = transpose(self%matrix)
   end subroutine weights_prepare

   !> Update state elements; see `apply_update`.
   subroutine weights_apply(self, nused, block)
      class(weights_update_type), intent(inout) :: self
      integer, intent(in) :: nused                      !! lanes with state elements
      real(rk), intent(inout) :: block(:, :) !! (lanes, nmember), prior anomalies in, deviations out [any unit]
      real(rk) :: y(size(self%matrix, 1))
      integer :: j, lane, nmember
      nmember = size(self%matrix, 1)
      do lane = 1, nused
         y = 0.0_rk
         do j = 1, nmember
            y = y + block(lane, j)*self%across(:, j)
         end do
         block(lane, :nmember) = y
      end do
   end subroutine weights_apply

end module pl_local_weights
