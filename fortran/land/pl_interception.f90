!> Interception of rain by leaves and stems, drip, and the wet and dry shares of the canopy.
!>
!> CLM Technical Note, section 7.1. Intercepted share tanh(L + S) and storage 0.1 kg m-2 per leaf and stem area
!> (CLM5); wet share (W/W_max)**(2/3) (Deardorff 1978, J. Geophys. Res. 83, 1889-1903).
module pl_interception
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_area_limit, plant_chunk_type
   implicit none (type, external)
   private
   public :: intercept, largest_wet_fraction

   real(rk), parameter :: storage_per_area = 0.1_rk !! water that one unit of leaf and stem area holds [kg m-2]
   !> Upper bound of the wet share. CLM5 lowers it to 0.05, a calibration that also keeps a full canopy from drying
   !> within its short steps; CLM4.5 and Deardorff have 1, the value at which a full store means wet leaves and the
   !> storage alone limits what rain a canopy loses.
   real(rk), parameter :: largest_wet_fraction = 1.0_rk

contains

   !> Fill the canopy store with rain and let the excess drip.
   !>
   !> A canopy below `canopy_area_limit` holds nothing: what it held when leaves fell drips. Evaporation of the
   !> stored water is the caller's.
   pure subroutine intercept(dt, plant, rainfall, canopy_water, throughfall, wet_fraction, dry_fraction)
      real(rk), intent(in) :: dt                 !! time step [s]
      type(plant_chunk_type), intent(in) :: plant
      real(rk), intent(in) :: rainfall(w)        !! above the canopy [kg m-2 s-1]
      real(rk), intent(inout) :: canopy_water(w) !! intercepted water, not negative [kg m-2]
      real(rk), intent(out) :: throughfall(w)    !! rain and drip reaching the ground [kg m-2 s-1]
      real(rk), intent(out) :: wet_fraction(w)   !! wet share of leaves and stems [1]
      real(rk), intent(out) :: dry_fraction(w)   !! dry leaves' share of leaves and stems [1]
      real(rk), parameter :: two_thirds = 2.0_rk/3.0_rk
      real(rk) :: area, caught, filled, storage, drip, saturation
      integer :: i
      do i = 1, w
         area = plant%leaf_area(i) + plant%stem_area(i)
         area = merge(area, 0.0_rk, area >= canopy_area_limit)
         storage = storage_per_area*area
         caught = tanh(area)*rainfall(i)
         filled = canopy_water(i) + dt*caught
         drip = max(filled - storage, 0.0_rk)/dt
         throughfall(i) = (rainfall(i) - caught) + drip
         canopy_water(i) = min(filled, storage)
         saturation = canopy_water(i)/max(storage, storage_per_area*canopy_area_limit)
         ! no logarithm of zero: a film of 1e-12 of the store wets 1e-8 of the leaves and counts as dry
         wet_fraction(i) = merge(min(exp(two_thirds*log(max(saturation, 1.0e-12_rk))), largest_wet_fraction), 0.0_rk, &
                                 saturation > 1.0e-12_rk)
         dry_fraction(i) = (1.0_rk - wet_fraction(i))*plant%leaf_area(i)/max(area, canopy_area_limit)
         dry_fraction(i) = merge(dry_fraction(i), 0.0_rk, area > 0.0_rk)
      end do
   end subroutine intercept

end module pl_interception
