!> A reach as a linear reservoir: outflow = (velocity/length) * storage.
!>
!> The scheme of the River Transport Model (Branstetter and Erickson 2003, J. Geophys. Res. 108, 4692, eqs. 1-3; CLM4.5
!> Technical Note, NCAR/TN-503+STR, chapter 11), integrated exactly for an inflow that is constant over the step: any
!> step is stable, water stays positive, and the mean time in a reach is length/velocity whatever the step is.
module pl_river_linear
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: linear_coefficients, route_linear

   real(rk), parameter :: longest_decay = 700.0_rk !! exp(-700) is 1e-304: beyond it nothing of the water is left [1]

contains

   !> Shares of storage and of inflow that leave a reach within a step.
   elemental subroutine linear_coefficients(velocity, length, dt, share_stored, share_inflow)
      real(rk), intent(in) :: velocity      !! of the water [m s-1], > 0
      real(rk), intent(in) :: length        !! of the reach [m], > 0
      real(rk), intent(in) :: dt            !! step [s], > 0
      real(rk), intent(out) :: share_stored !! of the water at the start, 1 - exp(-x) [1]
      real(rk), intent(out) :: share_inflow !! of the inflow, 1 - (1 - exp(-x))/x [1]
      real(rk) :: x
      x = min(velocity*dt/length, longest_decay)
      share_stored = 2.0_rk*exp(-0.5_rk*x)*sinh(0.5_rk*x) ! 1 - exp(-x) without cancellation for small x
      share_inflow = max(1.0_rk - share_stored/x, 0.0_rk)
   end subroutine linear_coefficients

   !> Advance a reach of all members of a block.
   pure subroutine route_linear(n, share_stored, share_inflow, inflow, storage, outflow)
      integer, intent(in) :: n                !! members
      real(rk), intent(in) :: share_stored    !! [1]
      real(rk), intent(in) :: share_inflow    !! [1]
      real(rk), intent(in) :: inflow(n)       !! within the step [m3]
      real(rk), intent(inout) :: storage(n)   !! [m3]
      real(rk), intent(out) :: outflow(n)     !! within the step [m3]
      integer :: i
      do i = 1, n
         outflow(i) = min(share_stored*storage(i) + share_inflow*inflow(i), storage(i) + inflow(i))
         storage(i) = (storage(i) + inflow(i)) - outflow(i)
      end do
   end subroutine route_linear

end module pl_river_linear
