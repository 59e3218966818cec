!> Snow on leaves and stems, and plants under snow.
!>
!> Intercepted share 1 - exp(-(L + S)/2), storage 6 kg m-2 per leaf and stem area, and buried plants: CLM5 (Lawrence et
!> al. 2018, NCAR/TN), sections 2.2 and 7.1. Unloading by wind and warmth: Roesch et al. (2001), Clim. Dyn. 17, 933-946.
!> Share of leaves and stems under snow for light: (W/W_max)**0.15 (CLM5); for vapour (W/W_max)**(2/3), as for rain
!> (Deardorff 1978, J. Geophys. Res. 83, 1889-1903).
module pl_canopy_snow
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_area_limit, plant_chunk_type
   implicit none (type, external)
   private
   public :: combine_shares, expose_canopy, intercept_snow

   real(rk), parameter :: storage_per_area = 6.0_rk   !! snow that one unit of leaf and stem area holds [kg m-2]
   real(rk), parameter :: wind_unloading = 1.56e5_rk  !! travel of the wind that unloads 1/e [m]
   real(rk), parameter :: warm_unloading = 1.87e5_rk  !! warmth that unloads 1/e [K s]
   real(rk), parameter :: unloading_start = 270.15_rk !! no unloading by warmth below it [K]
   real(rk), parameter :: low_plant_height = 0.2_rk   !! snow that buries grass and crops [m]
   !> A share of the store below which no leaf is white: a film that covers 3e-5 of the leaves.
   real(rk), parameter :: least_saturation = 1.0e-30_rk

contains

   !> Fill the canopy store with snow, let the excess and what wind and warmth unload fall; implicit in time.
   !>
   !> A canopy below `canopy_area_limit` holds nothing: all of its snow falls. Sublimation and melt of the store are the
   !> caller's.
   pure subroutine intercept_snow(dt, plant, snowfall, air_temperature, wind_speed, canopy_snow, throughfall, &
                                  snow_share, vapour_share)
      real(rk), intent(in) :: dt                 !! time step [s]
      type(plant_chunk_type), intent(in) :: plant !! with exposed areas
      real(rk), intent(in) :: snowfall(w)        !! above the canopy [kg m-2 s-1]
      real(rk), intent(in) :: air_temperature(w) !! [K]
      real(rk), intent(in) :: wind_speed(w)      !! above the canopy [m s-1]
      real(rk), intent(inout) :: canopy_snow(w)  !! intercepted snow, not negative [kg m-2]
      real(rk), intent(out) :: throughfall(w)    !! snow reaching the ground [kg m-2 s-1]
      real(rk), intent(out) :: snow_share(w)     !! of leaves and stems that light finds under snow [1]
      real(rk), intent(out) :: vapour_share(w)   !! of leaves and stems that exchange the vapour of snow [1]
      real(rk) :: area, caught, filled, held, storage, rate, saturation, logarithm
      integer :: i
      do i = 1, w
         area = plant%leaf_area(i) + plant%stem_area(i)
         area = merge(area, 0.0_rk, area >= canopy_area_limit)
         storage = storage_per_area*area
         caught = (1.0_rk - exp(-0.5_rk*area))*snowfall(i)
         filled = canopy_snow(i) + dt*caught
         rate = wind_speed(i)/wind_unloading + max(air_temperature(i) - unloading_start, 0.0_rk)/warm_unloading
         held = min(filled, storage)/(1.0_rk + dt*rate)
         throughfall(i) = (snowfall(i) - caught) + (filled - held)/dt
         canopy_snow(i) = held
         saturation = held/max(storage, storage_per_area*canopy_area_limit)
         logarithm = log(max(saturation, least_saturation))
         snow_share(i) = merge(min(exp(0.15_rk*logarithm), 1.0_rk), 0.0_rk, saturation > least_saturation)
         vapour_share(i) = merge(min(exp(2.0_rk/3.0_rk*logarithm), 1.0_rk), 0.0_rk, saturation > least_saturation)
      end do
   end subroutine intercept_snow

   !> Wet and dry shares of the canopy for vapour fluxes where rain and snow lie on it, without regard to each other.
   pure subroutine combine_shares(plant, rain_share, vapour_share, wet_fraction, dry_fraction)
      type(plant_chunk_type), intent(in) :: plant
      real(rk), intent(in) :: rain_share(w)    !! wet share that `intercept` gives [1]
      real(rk), intent(in) :: vapour_share(w)  !! share under snow that `intercept_snow` gives [1]
      real(rk), intent(out) :: wet_fraction(w) !! of leaves and stems, wet or under snow [1]
      real(rk), intent(out) :: dry_fraction(w) !! dry leaves' share of leaves and stems; 0 without a canopy [1]
      real(rk) :: area, wet
      integer :: i
      do i = 1, w
         area = plant%leaf_area(i) + plant%stem_area(i)
         wet = vapour_share(i) + rain_share(i)*(1.0_rk - vapour_share(i))
         wet_fraction(i) = wet
         dry_fraction(i) = merge((1.0_rk - wet)*plant%leaf_area(i)/max(area, canopy_area_limit), 0.0_rk, &
                                 area >= canopy_area_limit)
      end do
   end subroutine combine_shares

   !> Leaf and stem area above the snow.
   !>
   !> Trees and shrubs lose the part of their crown below the snow's surface, grass and crops are buried by 0.2 m. What
   !> is left below `canopy_area_limit` is no canopy to the processes that follow.
   elemental subroutine expose_canopy(canopy_top, canopy_bottom, is_low, snow_depth, snow_cover, leaf_area, stem_area)
      real(rk), intent(in) :: canopy_top    !! [m]
      real(rk), intent(in) :: canopy_bottom !! of the crown; not used for low plants [m]
      real(rk), intent(in) :: is_low        !! 1 for grass and crops, 0 for shrubs and trees
      real(rk), intent(in) :: snow_depth    !! where snow lies [m]
      real(rk), intent(in) :: snow_cover    !! share of the ground [1]
      real(rk), intent(inout) :: leaf_area  !! in: of the plant; out: exposed [m2 m-2]
      real(rk), intent(inout) :: stem_area  !! in: of the plant; out: exposed [m2 m-2]
      real(rk) :: crown, bottom, buried, exposed
      bottom = merge(0.0_rk, canopy_bottom, is_low > 0.5_rk)
      crown = merge(low_plant_height, canopy_top - canopy_bottom, is_low > 0.5_rk)
      ! min before the quotient: a crown without depth is buried as soon as snow reaches it
      buried = min(max(snow_depth - bottom, 0.0_rk), max(crown, 0.0_rk))/merge(crown, 1.0_rk, crown > 0.0_rk)
      buried = merge(buried, merge(1.0_rk, 0.0_rk, snow_depth > bottom), crown > 0.0_rk)
      exposed = 1.0_rk - snow_cover*buried
      leaf_area = exposed*leaf_area
      stem_area = exposed*stem_area
   end subroutine expose_canopy

end module pl_canopy_snow
