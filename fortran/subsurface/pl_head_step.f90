!> The step of a pressure head in Newton's method for Richards' equation.
!>
!> Where the head would jump, the step is taken in water content instead (Forsyth et al. 1995, Adv. Water Resour. 18,
!> 25-38: the same linear system, the better variable), and a cell leaves saturation through a fixed head, from where
!> Newton's method converges from one side.
module pl_head_step
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_soil_hydraulics, only: driest_head
   implicit none (type, external)
   private
   public :: propose_head, smooth_head

   real(rk), parameter :: smooth_change = 0.01_rk  !! relative change of head that counts as small [1]
   real(rk), parameter :: smooth_head = 1.0e-5_rk  !! change of head that counts as small away from saturation [m]
   real(rk), parameter :: smooth_water = 1.0e-7_rk !! change of water that counts as small [m3 m-3]
   real(rk), parameter :: least_share = 0.1_rk     !! of its water that a cell keeps in one iteration [1]

contains

   !> New heads of one layer; `rough` becomes 1 where the change was more than a small one.
   pure subroutine propose_head(entry, release, residual_water, air_dry_water, air_dry_head, small_step, share, limited, head, &
                                change, water, capacity, new_head, jumps, rough)
      real(rk), intent(in) :: entry(w)          !! air-entry head [m]
      real(rk), intent(in) :: release(w)        !! first head below saturation [m]
      real(rk), intent(in) :: residual_water(w) !! [m3 m-3]
      real(rk), intent(in) :: air_dry_water(w)  !! [m3 m-3]
      real(rk), intent(in) :: air_dry_head      !! [m]
      real(rk), intent(in) :: small_step        !! change that is small wherever it leads [m]
      real(rk), intent(in) :: share             !! of a step across a kink that is taken [1]
      real(rk), intent(in) :: limited(w) !! 1 for layers held at the air-dry head, 0 for others [1]
      real(rk), intent(in) :: head(w)           !! iterate [m]
      real(rk), intent(in) :: change(w)         !! of the head, by Newton [m]
      real(rk), intent(inout) :: water(w)       !! in: at the iterate; out: where the head jumps to [m3 m-3]
      real(rk), intent(in) :: capacity(w)       !! [m-1]
      real(rk), intent(out) :: new_head(w)      !! where it does not jump [m]
      real(rk), intent(out) :: jumps(w)         !! 1 where the step is taken in water content [1]
      real(rk), intent(inout) :: rough(w)       !! see above [1]
      real(rk) :: now, step, aim, kept, moved, late
      ! conditions as 0 or 1, combined with min, max and products, in three loops: without branches they vectorise
      real(rk), dimension(w) :: full, fills, released, small, smooth, crosses, leaves
      real(rk) :: slight, dries, wets
      integer :: i
      late = merge(1.0_rk, 0.0_rk, share < 1.0_rk)
      do i = 1, w
         now = head(i)
         step = change(i)
         aim = now + step
         full(i) = merge(1.0_rk, 0.0_rk, now >= -entry(i))
         fills(i) = merge(1.0_rk, 0.0_rk, aim >= -entry(i))
         released(i) = merge(1.0_rk, 0.0_rk, now <= release(i))
         small(i) = merge(1.0_rk, 0.0_rk, abs(step) <= small_step)
         leaves(i) = (1.0_rk - released(i))*merge(1.0_rk, 0.0_rk, aim < release(i))
         crosses(i) = merge(1.0_rk, 0.0_rk, abs(step) <= -release(i))
         slight = merge(huge(now), -0.5_rk*now, water(i) - residual_water(i) <= smooth_water)
         slight = merge(slight, -smooth_change*now, capacity(i)*abs(step) <= smooth_water)
         smooth(i) = max(merge(1.0_rk, 0.0_rk, abs(step) <= slight), merge(1.0_rk, 0.0_rk, max(now, aim) <= driest_head)) &
                     *merge(1.0_rk, 0.0_rk, aim < -entry(i))
      end do
      do i = 1, w
         step = change(i)
         kept = limited(i)
         crosses(i) = crosses(i)*abs(full(i) - fills(i))
         smooth(i) = max(small(i), full(i)*fills(i) + (1.0_rk - full(i))*smooth(i))
         ! wetting to saturation or by half the head, drying to twice the head or half the water
         wets = max(fills(i), released(i)*merge(1.0_rk, 0.0_rk, step > -0.5_rk*head(i)))
         dries = merge(1.0_rk, 0.0_rk, -capacity(i)*step > 0.5_rk*(water(i) - residual_water(i)))
         dries = released(i)*max(merge(1.0_rk, 0.0_rk, step < head(i)), dries)
         jumps(i) = merge(wets, dries, step > 0.0_rk)*(1.0_rk - small(i))*(1.0_rk - kept)*(1.0_rk - full(i))
         jumps(i) = max(jumps(i), kept*late*(1.0_rk - smooth(i)))*(1.0_rk - crosses(i)*late*(1.0_rk - kept))
      end do
      do i = 1, w
         kept = limited(i)
         ! a step across a kink in part, out of saturation to the first head below it
         aim = head(i) + (1.0_rk - (1.0_rk - share)*crosses(i)*(1.0_rk - smooth(i)))*change(i)
         aim = merge(aim, release(i), max(smooth(i), crosses(i), 1.0_rk - leaves(i)) > 0.5_rk)
         new_head(i) = merge(aim, air_dry_head, kept < 0.5_rk)
         rough(i) = max(rough(i), 1.0_rk - smooth(i))
      end do
      do i = 1, w
         moved = max(water(i) + capacity(i)*change(i), residual_water(i) + least_share*(water(i) - residual_water(i)))
         moved = moved - water(i)
         water(i) = water(i) + (1.0_rk - limited(i))*moved + limited(i)*share*(air_dry_water(i) - water(i))
      end do
   end subroutine propose_head

end module pl_head_step
