!> A terminal lake: its volume, and the area that takes part in rain and evaporation.
!>
!>     dV/dt = inflow + (p - e) A(V) - spill,   A = A_r (V/V_r)**b
!>
!> The power law is the hypsometry of a basin whose depth-area curve is a power law (b = 2/3 for a cone, 1/2 for a
!> trough; Liebe, van de Giesen and Andreini 2005, Phys. Chem. Earth 30, 448-454); b = 0 is a lake of fixed area.
!> Where evaporation exceeds rain the area is that at the end of the step: with a = A/A_r the balance is
!> a**(1/b) + g a = r, convex in a, one root, for any step, and at rest inflow = (e - p) A exactly. Else the area is
!> that of the water that is there. Evaporation takes what is there at most.
!>
!> The lake replaces the land below it: of the runoff of its own cell, the share of the flooded area is withheld.
module pl_river_lake
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: lake_area, lake_type, route_lake

   integer, parameter :: most_iterations = 100               !! Newton steps, from above
   real(rk), parameter :: tolerance = 32.0_rk*epsilon(1.0_rk) !! relative change of a that is round-off of powers [1]
   real(rk), parameter :: least_water = 1.0e-12_rk           !! a cube of 0.1 mm: less has no surface [m3]

   !> What makes one lake different from another.
   type :: lake_type
      real(rk) :: cell_area = 1.0_rk        !! of its cell [m2]
      real(rk) :: reference_area = 1.0_rk   !! A_r [m2]
      real(rk) :: reference_volume = 1.0_rk !! V_r [m3]
      real(rk) :: exponent = 0.0_rk         !! b, 0 to 1 [1]
      real(rk) :: spill_volume = huge(1.0_rk) !! volume above which it spills [m3]
   end type lake_type

contains

   !> Area of a lake.
   pure subroutine lake_area(lake, volume, area)
      type(lake_type), intent(in) :: lake  !! the lake
      real(rk), intent(in) :: volume(w)    !! [m3]
      real(rk), intent(out) :: area(w)     !! [m2]
      real(rk) :: share
      integer :: i
      do i = 1, w
         share = merge(volume(i), lake%reference_volume, volume(i) > least_water)/lake%reference_volume
         area(i) = merge(lake%reference_area*share**lake%exponent, 0.0_rk, volume(i) > least_water)
      end do
   end subroutine lake_area

   !> Advance a lake of all members of a block.
   pure subroutine route_lake(lake, upstream, runoff, rain_depth, evaporation_depth, volume, outflow, rain, &
      evaporation, withheld, deficit, converged)
      type(lake_type), intent(in) :: lake           !! the lake
      real(rk), intent(in) :: upstream(w)           !! inflow of rivers within the step [m3]
      real(rk), intent(in) :: runoff(w)             !! of its cell within the step [m3]; may be negative
      real(rk), intent(in) :: rain_depth(w)         !! within the step [m]
      real(rk), intent(in) :: evaporation_depth(w)  !! of open water within the step [m], >= 0
      real(rk), intent(inout) :: volume(w)          !! [m3]
      real(rk), intent(out) :: outflow(w)           !! spilled within the step [m3]
      real(rk), intent(out) :: rain(w)              !! on the lake within the step [m3]
      real(rk), intent(out) :: evaporation(w)       !! of the lake within the step [m3]
      real(rk), intent(out) :: withheld(w)          !! runoff of land that the lake covers [m3]
      real(rk), intent(out) :: deficit(w)           !! negative runoff for which there was no water [m3]
      logical, intent(out) :: converged             !! whether Newton's method ended for all members
      real(rk) :: area(w), water(w)
      integer :: i
      call lake_area(lake, volume, area)
      do i = 1, w
         withheld(i) = min(area(i)/lake%cell_area, 1.0_rk)*max(runoff(i), 0.0_rk)
         water(i) = volume(i) + upstream(i) + (runoff(i) - withheld(i))
         deficit(i) = max(-water(i), 0.0_rk)
         water(i) = max(water(i), 0.0_rk)
      end do
      converged = .true.
      if (lake%exponent > 0.0_rk) then
         call wet_area(lake, water, rain_depth, evaporation_depth, area, converged)
      else
         area = lake%reference_area
      end if
      do i = 1, w
         rain(i) = merge(rain_depth(i)*area(i), 0.0_rk, water(i) > least_water) ! rain on dry land is the land's
         evaporation(i) = min(evaporation_depth(i)*area(i), water(i) + rain(i))
         water(i) = (water(i) + rain(i)) - evaporation(i)
         outflow(i) = max(water(i) - lake%spill_volume, 0.0_rk)
         volume(i) = water(i) - outflow(i)
      end do
   end subroutine route_lake

   !> Area during the step of a lake that follows the power law.
   pure subroutine wet_area(lake, water, rain_depth, evaporation_depth, area, converged)
      type(lake_type), intent(in) :: lake          !! the lake
      real(rk), intent(in) :: water(w)             !! before rain and evaporation [m3]
      real(rk), intent(in) :: rain_depth(w)        !! [m]
      real(rk), intent(in) :: evaporation_depth(w) !! [m]
      real(rk), intent(out) :: area(w)             !! [m2]
      logical, intent(out) :: converged            !! whether Newton's method ended for all members
      real(rk) :: a(w), loss(w), share(w), power, gain, change
      logical :: is_open(w), is_wet(w)
      integer :: i, iteration
      do i = 1, w
         is_wet(i) = water(i) > least_water
         share(i) = merge(water(i), lake%reference_volume, is_wet(i))/lake%reference_volume
         loss(i) = max(evaporation_depth(i) - rain_depth(i), 0.0_rk)*lake%reference_area/lake%reference_volume
         a(i) = share(i)**lake%exponent
         a(i) = merge(min(a(i), share(i)/merge(loss(i), 1.0_rk, loss(i) > 0.0_rk)), a(i), loss(i) > 0.0_rk)
         is_open(i) = is_wet(i) .and. loss(i) > 0.0_rk
      end do
      do iteration = 1, most_iterations
         if (.not. any(is_open)) exit
         do i = 1, w
            power = a(i)**(1.0_rk/lake%exponent)
            gain = power/(lake%exponent*a(i)) + loss(i)
            change = merge((power + loss(i)*a(i) - share(i))/gain, 0.0_rk, is_open(i))
            a(i) = a(i) - change
            is_open(i) = abs(change) > tolerance*a(i)
         end do
      end do
      converged = .not. any(is_open)
      do i = 1, w
         area(i) = merge(lake%reference_area*a(i), 0.0_rk, is_wet(i))
      end do
   end subroutine wet_area

end module pl_river_lake
