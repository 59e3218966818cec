!> Flow of ponded water between columns: the kinematic and the diffusive wave.
!>
!> Discharge per width between two cells follows Manning's equation, q = h**(5/3) S_f/(n sqrt(abs(S_f))), with the
!> depth h of the upstream cell (Kollet and Maxwell 2006, Adv. Water Resour. 29, 945-958, eqs. 8-10). The friction slope
!> S_f is that of the terrain (kinematic) or of the water surface (diffusive). Depth is the positive part of the head of
!> the top layer. A face to the outside lets water out, never in: where
!> the terrain falls outward, at its slope (kinematic) or at that of water that falls to the ground there (diffusive).
module pl_flow_overland
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: diffusive_face, drained_head, kinematic_face, wave_power
   public :: overland_diffusive, overland_kinematic, overland_none

   integer, parameter :: overland_none = 0
   integer, parameter :: overland_kinematic = 1
   integer, parameter :: overland_diffusive = 2

   real(rk), parameter :: two_thirds = 2.0_rk/3.0_rk
   real(rk), parameter :: five_thirds = 5.0_rk/3.0_rk

contains

   !> Depth and depth**(2/3) of `n` cells from their heads.
   pure subroutine wave_power(n, head, depth, power)
      integer, intent(in) :: n
      real(rk), intent(in) :: head(n)   !! of the top layer [m]
      real(rk), intent(out) :: depth(n) !! [m]
      real(rk), intent(out) :: power(n) !! [m2/3]
      integer :: i
      do i = 1, n
         depth(i) = max(head(i), 0.0_rk)
         power(i) = merge(exp(two_thirds*log(max(depth(i), tiny(1.0_rk)))), 0.0_rk, depth(i) > 0.0_rk)
      end do
   end subroutine wave_power

   !> Flow through `n` faces by the kinematic wave, and its derivatives to the heads before and behind the face.
   pure subroutine kinematic_face(n, conveyance, depth_before, power_before, depth_behind, power_behind, flow, by_before, &
                                  by_behind)
      integer, intent(in) :: n
      real(rk), intent(in) :: conveyance(n) !! signed, positive along the axis [m-2/3 s-1]
      real(rk), intent(in), dimension(n) :: depth_before, power_before, depth_behind, power_behind
      real(rk), intent(out) :: flow(n)      !! positive along the axis [m s-1]
      real(rk), intent(out) :: by_before(n) !! [s-1]
      real(rk), intent(out) :: by_behind(n) !! [s-1]
      real(rk) :: forth
      integer :: i
      do i = 1, n
         forth = merge(1.0_rk, 0.0_rk, conveyance(i) > 0.0_rk)
         flow(i) = conveyance(i)*(forth*power_before(i)*depth_before(i) + (1.0_rk - forth)*power_behind(i)*depth_behind(i))
         by_before(i) = five_thirds*conveyance(i)*forth*power_before(i)
         by_behind(i) = five_thirds*conveyance(i)*(1.0_rk - forth)*power_behind(i)
      end do
   end subroutine kinematic_face

   !> Flow through `n` faces by the diffusive wave.
   !>
   !> The slope across the face is that of the water surface as it is now; the size of the friction slope is that at the
   !> start of the step, which keeps the flow linear in the slope.
   pure subroutine diffusive_face(n, conveyance, distance, bed, friction, depth_before, power_before, depth_behind, &
                                  power_behind, flow, by_before, by_behind)
      integer, intent(in) :: n
      real(rk), intent(in) :: conveyance(n) !! without slope, 0 where no water passes [m-2/3 s-1]
      real(rk), intent(in) :: distance      !! of the cell centres [m]
      real(rk), intent(in) :: bed(n)        !! slope of the terrain along the axis, positive uphill [1]
      real(rk), intent(in) :: friction(n)   !! inverse root of the size of the friction slope [1]
      real(rk), intent(in), dimension(n) :: depth_before, power_before, depth_behind, power_behind
      real(rk), intent(out) :: flow(n)      !! positive along the axis [m s-1]
      real(rk), intent(out) :: by_before(n) !! [s-1]
      real(rk), intent(out) :: by_behind(n) !! [s-1]
      real(rk) :: drop, forth, wave
      integer :: i
      do i = 1, n
         drop = (depth_before(i) - depth_behind(i))/distance - bed(i)
         forth = merge(1.0_rk, 0.0_rk, drop > 0.0_rk)
         wave = conveyance(i)*friction(i)*(forth*power_before(i)*depth_before(i) &
                                           + (1.0_rk - forth)*power_behind(i)*depth_behind(i))
         flow(i) = wave*drop
         by_before(i) = five_thirds*conveyance(i)*friction(i)*forth*power_before(i)*drop &
                        + merge(wave/distance, 0.0_rk, depth_before(i) > 0.0_rk)
         by_behind(i) = five_thirds*conveyance(i)*friction(i)*(1.0_rk - forth)*power_behind(i)*drop &
                        - merge(wave/distance, 0.0_rk, depth_behind(i) > 0.0_rk)
      end do
   end subroutine diffusive_face

   !> Head of a top cell where a step of Newton's method would have it, with the outflow of its pond as it is.
   !>
   !> Outflow grows with depth**(5/3): its tangent is too small for a pond that rises, at a dry surface it is zero. The depth
   !> found holds what the linear equation has for storage and outflow together.
   pure subroutine drained_head(n, rate, before, head)
      integer, intent(in) :: n
      real(rk), intent(in) :: rate(n)    !! outflow over depth**(5/3), times the step [m-2/3]
      real(rk), intent(in) :: before(n)  !! head at the iterate [m]
      real(rk), intent(inout) :: head(n) !! in: by Newton's method, out: not higher [m]
      integer, parameter :: rounds = 5   !! of Newton's method, which comes down from above [1]
      real(rk) :: depth, power, total, wet
      integer :: i, round
      do i = 1, n
         wet = max(before(i), 0.0_rk)
         if (head(i) <= wet .or. rate(i) <= 0.0_rk) cycle
         power = wet**two_thirds
         total = head(i) + rate(i)*power*(wet + five_thirds*(head(i) - wet))
         depth = min(total, (total/rate(i))**0.6_rk)
         do round = 1, rounds
            power = depth**two_thirds
            depth = (total + two_thirds*rate(i)*power*depth)/(1.0_rk + five_thirds*rate(i)*power)
         end do
         head(i) = min(head(i), depth)
      end do
   end subroutine drained_head

end module pl_flow_overland
