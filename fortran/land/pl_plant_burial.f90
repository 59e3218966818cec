!> Plants under snow: what of a patch stands above it.
module pl_plant_burial
   use pl_canopy_snow, only: expose_canopy
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: plant_chunk_type
   use pl_snow_chunk, only: snow_chunk_type
   implicit none (type, external)
   private
   public :: bury_plants

   real(rk), parameter :: bent_below = 0.05_rk !! plants whose leaves begin lower are herbs, which snow bends down [m]

contains

   !> Reduce leaf and stem area to what the snow leaves exposed.
   pure subroutine bury_plants(snow, plant)
      type(snow_chunk_type), intent(in) :: snow
      type(plant_chunk_type), intent(inout) :: plant !! in: areas of the plant; out: exposed areas
      real(rk) :: depth(w)
      integer :: i, k
      depth = 0.0_rk
      do k = 1, snow%nsnow
         do i = 1, w
            depth(i) = depth(i) + snow%thickness(i, k)
         end do
      end do
      do i = 1, w
         call expose_canopy(plant%canopy_top(i), plant%canopy_bottom(i), &
                            merge(1.0_rk, 0.0_rk, plant%canopy_bottom(i) < bent_below), depth(i), snow%cover(i), &
                            plant%leaf_area(i), plant%stem_area(i))
      end do
   end subroutine bury_plants

end module pl_plant_burial
