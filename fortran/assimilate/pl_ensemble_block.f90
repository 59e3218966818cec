!> A few state elements with all their members, split into mean and anomalies and joined again.
!>
!> A block holds one state element per lane, so that every loop over lanes is one vector instruction, and an element's
!> result depends on nothing but its own members: neither on its neighbours nor on where the state is cut.
module pl_ensemble_block
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: vector_lanes
   implicit none (type, external)
   private
   public :: join_block, split_block

contains

   !> Mean, sum of squares and inflated anomalies of each lane.
   pure subroutine split_block(nmember, inflation, block, mean, square)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: inflation                       !! factor on the anomalies [1]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! members in, inflated anomalies out [unit of the state]
      real(rk), intent(out) :: mean(vector_lanes)             !! ensemble mean [unit of the state]
      real(rk), intent(out) :: square(vector_lanes)           !! sum of squared anomalies before inflation [unit squared]
      real(rk) :: first(vector_lanes)
      integer :: k
      first = block(:, 1)
      mean = 0.0_rk
      do k = 2, nmember
         mean = mean + (block(:, k) - first)
      end do
      mean = first + mean/real(nmember, rk) ! exact where all members are equal
      square = 0.0_rk
      do k = 1, nmember
         block(:, k) = block(:, k) - mean
         square = square + block(:, k)*block(:, k)
         block(:, k) = inflation*block(:, k)
      end do
   end subroutine split_block

   !> Members from updated deviations, with relaxation to the prior spread.
   !>
   !> Whitaker and Hamill (2012), Mon. Weather Rev. 140, 3078-3089, eq. 2; the prior spread is that before inflation.
   pure subroutine join_block(nmember, relaxation, mean, square, block)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: relaxation                      !! 0: none, 1: the spread stays that of the prior [1]
      real(rk), intent(in) :: mean(vector_lanes)              !! prior mean [unit of the state]
      real(rk), intent(in) :: square(vector_lanes)            !! sum of squared prior anomalies [unit squared]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! deviations from the prior mean in, members out [unit]
      real(rk) :: factor(vector_lanes), shift(vector_lanes), updated(vector_lanes)
      integer :: i, k
      shift = 0.0_rk
      do k = 1, nmember
         shift = shift + block(:, k)
      end do
      shift = shift/real(nmember, rk)
      if (relaxation > 0.0_rk) then
         updated = 0.0_rk
         do k = 1, nmember
            updated = updated + (block(:, k) - shift)**2
         end do
         do i = 1, vector_lanes
            factor(i) = 1.0_rk
            if (updated(i) > tiny(1.0_rk)) factor(i) = 1.0_rk + relaxation*(sqrt(square(i))/sqrt(updated(i)) - 1.0_rk)
         end do
         do k = 1, nmember
            block(:, k) = shift + factor*(block(:, k) - shift)
         end do
      end if
      do k = 1, nmember
         block(:, k) = mean + block(:, k)
      end do
   end subroutine join_block

end module pl_ensemble_block
