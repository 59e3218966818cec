!> Albedo of bare soil from its colour and the water of its top layer.
!>
!> CLM Technical Note, section 3.2 (eqs. 3.64-3.66): min(saturated + delta, dry), delta = 0.11 - 0.40 theta >= 0.
module pl_ground_albedo
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: ground_chunk_type, nband
   implicit none (type, external)
   private
   public :: ground_albedo

   real(rk), parameter :: brightening_dry = 0.11_rk   !! above the saturated albedo where the soil holds no water [1]
   real(rk), parameter :: brightening_slope = 0.40_rk !! loss per volumetric water [1]

contains

   !> Fill the albedos of `ground`; a beam and diffuse light see the same albedo.
   pure subroutine ground_albedo(dry, saturated, water, ground)
      real(rk), intent(in) :: dry(w, nband)       !! albedo of the dry soil colour [1]
      real(rk), intent(in) :: saturated(w, nband) !! albedo of the saturated soil colour [1]
      real(rk), intent(in) :: water(w)            !! volumetric water of the top layer [m3 m-3]
      type(ground_chunk_type), intent(inout) :: ground
      real(rk) :: albedo
      integer :: band, i
      do band = 1, nband
         do i = 1, w
            albedo = min(saturated(i, band) + max(brightening_dry - brightening_slope*water(i), 0.0_rk), dry(i, band))
            ground%albedo_direct(i, band) = albedo
            ground%albedo_diffuse(i, band) = albedo
         end do
      end do
   end subroutine ground_albedo

end module pl_ground_albedo
