!> One land step of a chunk of columns: radiation, turbulent fluxes, heat of snow and soil, and the water they ask for.
!>
!> Order as in the CLM Technical Note, chapter 1: surface state, patch by patch interception, radiation and turbulent
!> fluxes with the ground temperatures of the step's start, implicit heat and phase change of snow and soil, correction
!> of the ground fluxes with the change of the surface temperatures. Snow (pl_snow_step) and subsurface then take and
!> give water; what they cannot give returns through `finish_land`.
module pl_land_step
   use pl_bare_ground_fluxes, only: bare_ground_fluxes
   use pl_canopy_fluxes, only: canopy_fluxes
   use pl_canopy_snow, only: combine_shares, intercept_snow
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, latent_fusion, latent_vaporisation, stefan_boltzmann
   use pl_interception, only: intercept
   use pl_ground_heat, only: exchange_type
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, flux_chunk_type, ground_chunk_type, land_options_type, nband, &
                            plant_chunk_type, radiation_chunk_type, weather_chunk_type
   use pl_moist_air, only: saturation_humidity, saturation_humidity_ice
   use pl_radiation, only: patch_radiation
   use pl_root_uptake, only: share_uptake
   implicit none (type, external)
   private
   public :: add_patch, bend_slopes, correct_ground, finish_land, land_sums_type, start_sums, surface_exchange

   real(rk), parameter :: carbon_per_mole = 12.011e-9_rk !! carbon of one umol CO2 [kg umol-1]
   real(rk), parameter :: growth_time = 864000.0_rk      !! time scale of the growth temperature, 10 days [s]
   real(rk), parameter :: straight = 2.0_rk              !! change of a surface up to which a slope serves [K]
   real(rk), parameter :: coldest = 150.0_rk             !! lowest temperature of a surface on Earth, with a margin [K]
   real(rk), parameter :: latent_sublimation = latent_vaporisation + latent_fusion !! [J kg-1]

   !> Column means over patches, and the water that the subsurface is asked for.
   type :: land_sums_type
      real(rk) :: shortwave_up(w)       !! [W m-2]
      real(rk) :: longwave_up(w)        !! [W m-2]
      real(rk) :: sensible(w)           !! [W m-2]
      real(rk) :: transpiration(w)      !! [kg m-2 s-1]
      real(rk) :: canopy_evaporation(w) !! water and snow [kg m-2 s-1]
      real(rk) :: canopy_sublimation(w) !! part of it that was snow [kg m-2 s-1]
      real(rk) :: soil_evaporation(w)   !! [kg m-2 s-1]
      real(rk) :: sublimation(w)        !! from snow on the ground [kg m-2 s-1]
      real(rk) :: throughfall(w)        !! rain and drip reaching the ground [kg m-2 s-1]
      real(rk) :: snow_throughfall(w)   !! snow reaching the ground [kg m-2 s-1]
      real(rk) :: carbon(w)             !! gross primary production [kg m-2 s-1]
      real(rk) :: friction_velocity(w)  !! [m s-1]
      real(rk) :: stress(w)             !! water stress weighted with leaf area [1]
      real(rk) :: leaf_area(w)          !! [1]
      real(rk) :: snow_light(w, nband)  !! shortwave absorbed by snow on the ground [W m-2]
      real(rk) :: soil_light(w)         !! shortwave absorbed by soil [W m-2]
      real(rk) :: soil_latent           !! heat that evaporation from the ground takes; of ice that of sublimation [J kg-1]
      type(exchange_type) :: soil       !! of the soil surface with air and canopy, without shortwave
      type(exchange_type) :: snow       !! of the snow surface with air and canopy, without shortwave
      real(rk) :: sensible_slope(w)     !! of the soil surface [W m-2 K-1]
      real(rk) :: evaporation_slope(w)  !! of the soil surface [kg m-2 s-1 K-1]
      real(rk) :: longwave_slope(w)     !! of the soil surface [W m-2 K-1]
      real(rk) :: snow_sensible_slope(w)    !! of the snow surface [W m-2 K-1]
      real(rk) :: sublimation_slope(w)      !! of the snow surface [kg m-2 s-1 K-1]
      real(rk) :: snow_longwave_slope(w)    !! of the snow surface [W m-2 K-1]
      real(rk) :: soil_heat_gain(w)     !! enthalpy gained by soil and bedrock [W m-2]
      real(rk) :: snow_heat_gain(w)     !! enthalpy gained by snow [W m-2]
      real(rk) :: bottom_flux(w)        !! heat from below the column [W m-2]
      real(rk) :: irrigation(w)         !! water from outside the column [kg m-2 s-1]
      real(rk) :: patch_gross(w)        !! gross primary production of the last patch [kg m-2 s-1]
      real(rk) :: patch_leaf_respiration(w) !! leaf respiration of the last patch, carbon [kg m-2 s-1]
   end type land_sums_type

contains

   !> Zero sums; the surfaces start at the temperatures of the ground.
   pure subroutine start_sums(ground, sums)
      type(ground_chunk_type), intent(in) :: ground
      type(land_sums_type), intent(out) :: sums
      sums%soil_latent = latent_vaporisation
      sums%shortwave_up = 0.0_rk
      sums%longwave_up = 0.0_rk
      sums%sensible = 0.0_rk
      sums%transpiration = 0.0_rk
      sums%canopy_evaporation = 0.0_rk
      sums%canopy_sublimation = 0.0_rk
      sums%soil_evaporation = 0.0_rk
      sums%sublimation = 0.0_rk
      sums%throughfall = 0.0_rk
      sums%snow_throughfall = 0.0_rk
      sums%carbon = 0.0_rk
      sums%friction_velocity = 0.0_rk
      sums%stress = 0.0_rk
      sums%leaf_area = 0.0_rk
      sums%snow_light = 0.0_rk
      sums%soil_light = 0.0_rk
      call start_exchange(ground%soil_temperature, sums%soil)
      call start_exchange(ground%snow_temperature, sums%snow)
      sums%sensible_slope = 0.0_rk
      sums%evaporation_slope = 0.0_rk
      sums%longwave_slope = 0.0_rk
      sums%snow_sensible_slope = 0.0_rk
      sums%sublimation_slope = 0.0_rk
      sums%snow_longwave_slope = 0.0_rk
      sums%soil_heat_gain = 0.0_rk
      sums%snow_heat_gain = 0.0_rk
      sums%bottom_flux = 0.0_rk
      sums%irrigation = 0.0_rk
      sums%patch_gross = 0.0_rk
      sums%patch_leaf_respiration = 0.0_rk
   end subroutine start_sums

   pure subroutine start_exchange(temperature, exchange)
      real(rk), intent(in) :: temperature(w) !! of the surface [K]
      type(exchange_type), intent(out) :: exchange
      exchange%flux = 0.0_rk
      exchange%slope = 0.0_rk
      exchange%start = temperature
      exchange%change = 0.0_rk
   end subroutine start_exchange

   !> Interception, radiation and turbulent fluxes of one patch; adds its share to the column.
   subroutine add_patch(dt, nlayer, options, weather, ground, plant, root_fraction, availability, &
                        soil_temperature, state, sums, root_uptake)
      real(rk), intent(in) :: dt                          !! time step [s]
      integer, intent(in) :: nlayer                       !! hydrological layers [1]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(plant_chunk_type), intent(inout) :: plant      !! in: plant with its exposed areas; out: with its water stress and snow
      real(rk), intent(in) :: root_fraction(w, nlayer)    !! [1]
      real(rk), intent(in) :: availability(w, nlayer)     !! of water to the roots [1]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      type(canopy_state_type), intent(inout) :: state
      type(land_sums_type), intent(inout) :: sums
      real(rk), intent(inout) :: root_uptake(w, nlayer)   !! column sink by roots [kg m-2 s-1]
      type(radiation_chunk_type) :: radiation
      type(flux_chunk_type) :: flux
      real(rk) :: uptake_share(w, nlayer)
      real(rk), dimension(w) :: throughfall, wet_fraction, dry_fraction, sublimation, rain_share, vapour_share
      real(rk), dimension(w) :: snow_throughfall, snow_share
      integer :: k

      call share_uptake(nlayer, root_fraction, availability, soil_temperature, plant%water_stress, uptake_share)
      call intercept(dt, plant, weather%rainfall + plant%sprinkling, state%canopy_water, throughfall, rain_share, &
                     dry_fraction)
      call intercept_snow(dt, plant, weather%snowfall, weather%air_temperature, weather%wind_speed, state%canopy_snow, &
                          snow_throughfall, snow_share, vapour_share)
      plant%snow_share = snow_share
      call combine_shares(plant, rain_share, vapour_share, wet_fraction, dry_fraction)
      call patch_radiation(weather, plant, ground, radiation)
      call canopy_fluxes(dt, options, weather, plant, ground, radiation, wet_fraction, dry_fraction, state, flux)
      call bare_ground_fluxes(options, weather, plant, ground, flux)
      call evaporate_stores(dt, state, flux, sublimation)

      sums%patch_gross = carbon_per_mole*flux%gross_photosynthesis
      sums%patch_leaf_respiration = carbon_per_mole*flux%leaf_respiration

      associate (f => plant%fraction)
         sums%shortwave_up = sums%shortwave_up + f*radiation%reflected
         sums%longwave_up = sums%longwave_up + f*flux%longwave_up
         sums%sensible = sums%sensible + f*(flux%sensible_canopy + flux%sensible_ground + flux%sensible_snow)
         sums%transpiration = sums%transpiration + f*flux%transpiration
         sums%canopy_evaporation = sums%canopy_evaporation + f*flux%canopy_evaporation
         sums%canopy_sublimation = sums%canopy_sublimation + f*sublimation
         sums%soil_evaporation = sums%soil_evaporation + f*flux%ground_evaporation
         sums%sublimation = sums%sublimation + f*flux%sublimation
         sums%throughfall = sums%throughfall + f*throughfall
         sums%snow_throughfall = sums%snow_throughfall + f*snow_throughfall
         sums%carbon = sums%carbon + f*carbon_per_mole*flux%gross_photosynthesis
         sums%friction_velocity = sums%friction_velocity + f*flux%friction_velocity
         sums%stress = sums%stress + f*plant%leaf_area*plant%water_stress
         sums%leaf_area = sums%leaf_area + f*plant%leaf_area
         do k = 1, nlayer
            root_uptake(:, k) = root_uptake(:, k) + f*flux%transpiration*uptake_share(:, k)
         end do
      end associate
      call add_ground(plant%fraction, radiation, flux, sums)
   end subroutine add_patch

   !> Take evaporation from the water and the snow on the leaves; round-off of their limits stays in the evaporation.
   pure subroutine evaporate_stores(dt, state, flux, sublimation)
      real(rk), intent(in) :: dt              !! [s]
      type(canopy_state_type), intent(inout) :: state
      type(flux_chunk_type), intent(inout) :: flux
      real(rk), intent(out) :: sublimation(w) !! of snow on leaves [kg m-2 s-1]
      real(rk) :: evaporation(w), change(w)
      sublimation = flux%canopy_snow_share*flux%canopy_evaporation
      evaporation = flux%canopy_evaporation - sublimation
      change = state%canopy_snow - dt*sublimation
      sublimation = sublimation + min(change, 0.0_rk)/dt
      state%canopy_snow = max(change, 0.0_rk)
      change = state%canopy_water - dt*evaporation
      evaporation = evaporation + min(change, 0.0_rk)/dt
      state%canopy_water = max(change, 0.0_rk)
      flux%canopy_evaporation = evaporation + sublimation
   end subroutine evaporate_stores

   !> Exchange of soil and snow surface under one patch.
   pure subroutine add_ground(f, radiation, flux, sums)
      real(rk), intent(in) :: f(w) !! share of the patch in the column [1]
      type(radiation_chunk_type), intent(in) :: radiation
      type(flux_chunk_type), intent(in) :: flux
      type(land_sums_type), intent(inout) :: sums
      sums%snow_light = sums%snow_light + spread(f, 2, nband)*radiation%snow_absorbed
      sums%soil_light = sums%soil_light + f*(radiation%ground_absorbed - radiation%snow_absorbed(:, 1) &
                                             - radiation%snow_absorbed(:, 2))
      sums%soil%flux = sums%soil%flux - f*(flux%longwave_ground + flux%sensible_ground &
                                           + sums%soil_latent*flux%ground_evaporation)
      sums%soil%slope = sums%soil%slope - f*(flux%longwave_ground_slope + flux%sensible_ground_slope &
                                             + sums%soil_latent*flux%ground_evaporation_slope)
      sums%snow%flux = sums%snow%flux - f*(flux%longwave_snow + flux%sensible_snow &
                                           + latent_sublimation*flux%sublimation)
      sums%snow%slope = sums%snow%slope - f*(flux%longwave_snow_slope + flux%sensible_snow_slope &
                                             + latent_sublimation*flux%sublimation_slope)
      sums%sensible_slope = sums%sensible_slope + f*flux%sensible_ground_slope
      sums%evaporation_slope = sums%evaporation_slope + f*flux%ground_evaporation_slope
      sums%longwave_slope = sums%longwave_slope + f*flux%longwave_ground_slope
      sums%snow_sensible_slope = sums%snow_sensible_slope + f*flux%sensible_snow_slope
      sums%sublimation_slope = sums%sublimation_slope + f*flux%sublimation_slope
      sums%snow_longwave_slope = sums%snow_longwave_slope + f*flux%longwave_snow_slope
   end subroutine add_ground

   !> Heat that reaches the soil surface: its own light, what snow lets through, and the exchange with air and canopy.
   pure subroutine surface_exchange(light_below_snow, sums)
      real(rk), intent(in) :: light_below_snow(w) !! shortwave that reaches the soil through snow [W m-2]
      type(land_sums_type), intent(inout) :: sums
      sums%soil%flux = sums%soil%flux + sums%soil_light + light_below_snow
   end subroutine surface_exchange

   !> Slopes of longwave and vapour over the way that the surfaces took, for the lanes where it was long.
   !>
   !> Both bend upward with temperature: over 10 K the tangent misses a tenth of the longwave and a third of the vapour.
   !> Solved again with chords, the step is exact when it ends where the chords do; `soil_way` and `snow_way` keep the
   !> changes that the slopes belong to.
   pure subroutine bend_slopes(weather, tangent, soil_way, snow_way, sums, is_bent)
      type(weather_chunk_type), intent(in) :: weather
      type(land_sums_type), intent(in) :: tangent !! with the slopes at the start
      real(rk), intent(inout) :: soil_way(w)      !! change that the slopes belong to; 0: tangents [K]
      real(rk), intent(inout) :: snow_way(w)      !! [K]
      type(land_sums_type), intent(inout) :: sums !! in: with `change`; out: with chords
      logical, intent(out) :: is_bent(w)          !! lanes whose slopes have changed
      real(rk) :: reached, humidity, over_water, slope, chord
      logical :: bends_soil, bends_snow
      integer :: i
      do i = 1, w
         bends_soil = abs(sums%soil%change(i) - soil_way(i)) > straight
         bends_snow = abs(sums%snow%change(i) - snow_way(i)) > straight
         is_bent(i) = bends_soil .or. bends_snow
         ! the mean of both ends quells the see-saw between a slope that is too steep and one that is too flat
         soil_way(i) = merge(merge(0.5_rk, 1.0_rk, abs(soil_way(i)) > 0.0_rk)*(sums%soil%change(i) + soil_way(i)), &
                             soil_way(i), bends_soil)
         snow_way(i) = merge(merge(0.5_rk, 1.0_rk, abs(snow_way(i)) > 0.0_rk)*(sums%snow%change(i) + snow_way(i)), &
                             snow_way(i), bends_snow)
         reached = max(sums%soil%start(i) + soil_way(i), coldest)
         call saturation_humidity(reached, weather%air_pressure(i), humidity, slope)
         call saturation_humidity(sums%soil%start(i), weather%air_pressure(i), chord, slope)
         chord = (humidity - chord)/merge(reached - sums%soil%start(i), 1.0_rk, bends_soil)/max(slope, tiny(slope))
         sums%evaporation_slope(i) = merge(chord*tangent%evaporation_slope(i), sums%evaporation_slope(i), bends_soil)
         sums%longwave_slope(i) = merge(longwave_chord(sums%soil%start(i), reached)*tangent%longwave_slope(i), &
                                        sums%longwave_slope(i), bends_soil)
         reached = max(sums%snow%start(i) + snow_way(i), coldest)
         ! snow that has melted goes on as water, whose vapour rises with its temperature: without that nothing stops dew
         call saturation_humidity(reached, weather%air_pressure(i), over_water, slope)
         call saturation_humidity_ice(reached, weather%air_pressure(i), humidity, slope)
         humidity = merge(over_water, humidity, reached > freezing_point)
         call saturation_humidity_ice(sums%snow%start(i), weather%air_pressure(i), chord, slope)
         chord = (humidity - chord)/merge(reached - sums%snow%start(i), 1.0_rk, bends_snow)/max(slope, tiny(slope))
         sums%sublimation_slope(i) = merge(chord*tangent%sublimation_slope(i), sums%sublimation_slope(i), bends_snow)
         sums%snow_longwave_slope(i) = merge(longwave_chord(sums%snow%start(i), reached)*tangent%snow_longwave_slope(i), &
                                             sums%snow_longwave_slope(i), bends_snow)
         sums%soil%slope(i) = merge(-(sums%longwave_slope(i) + sums%sensible_slope(i) &
                                      + sums%soil_latent*sums%evaporation_slope(i)), sums%soil%slope(i), bends_soil)
         sums%snow%slope(i) = merge(-(sums%snow_longwave_slope(i) + sums%snow_sensible_slope(i) &
                                      + latent_sublimation*sums%sublimation_slope(i)), sums%snow%slope(i), bends_snow)
      end do
   end subroutine bend_slopes

   !> Slope of T**4 from one temperature to another over that at the first.
   elemental function longwave_chord(start, reached) result(ratio)
      real(rk), intent(in) :: start   !! [K]
      real(rk), intent(in) :: reached !! [K]
      real(rk) :: ratio               !! [1]
      real(rk) :: relative
      relative = reached/start
      ratio = 0.25_rk*(1.0_rk + relative)*(1.0_rk + relative*relative)
   end function longwave_chord

   !> Ground fluxes with the temperatures that the surfaces came to.
   pure subroutine correct_ground(sums)
      type(land_sums_type), intent(inout) :: sums !! with `change` of both surfaces
      sums%sensible = sums%sensible + sums%sensible_slope*sums%soil%change + sums%snow_sensible_slope*sums%snow%change
      sums%soil_evaporation = sums%soil_evaporation + sums%evaporation_slope*sums%soil%change
      sums%sublimation = sums%sublimation + sums%sublimation_slope*sums%snow%change
      sums%longwave_up = sums%longwave_up + sums%longwave_slope*sums%soil%change &
                         + sums%snow_longwave_slope*sums%snow%change
   end subroutine correct_ground

   !> Give the water that soil and snow could not deliver back to the fluxes, and compute the derived ones.
   pure subroutine finish_land(dt, weather, unmet_transpiration, unmet_evaporation, unmet_sublimation, lost_heat, &
                               growth_temperature, sums, latent, net_radiation, radiative_temperature, residual)
      real(rk), intent(in) :: dt                       !! time step [s]
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: unmet_transpiration(w)   !! demand that the soil did not meet [kg m-2 s-1]
      real(rk), intent(in) :: unmet_evaporation(w)     !! demand that the soil did not meet [kg m-2 s-1]
      real(rk), intent(in) :: unmet_sublimation(w)     !! demand that the snow did not meet [kg m-2 s-1]
      real(rk), intent(in) :: lost_heat(w)             !! of fusion of traces of snow that vanish [W m-2]
      real(rk), intent(inout) :: growth_temperature(w) !! 10-day mean air temperature [K]
      type(land_sums_type), intent(inout) :: sums
      real(rk), intent(out) :: latent(w)               !! latent heat flux [W m-2]
      real(rk), intent(out) :: net_radiation(w)        !! [W m-2]
      real(rk), intent(out) :: radiative_temperature(w) !! [K]
      real(rk), intent(out) :: residual(w)             !! energy that does not close [W m-2]
      sums%transpiration = sums%transpiration - unmet_transpiration
      sums%soil_evaporation = sums%soil_evaporation - unmet_evaporation
      sums%sublimation = sums%sublimation - unmet_sublimation
      sums%snow_heat_gain = sums%snow_heat_gain + lost_heat
      sums%sensible = sums%sensible + latent_vaporisation*unmet_transpiration + sums%soil_latent*unmet_evaporation &
                      + latent_sublimation*unmet_sublimation - lost_heat
      latent = latent_vaporisation*(sums%transpiration + sums%canopy_evaporation + sums%sublimation) &
               + sums%soil_latent*sums%soil_evaporation &
               + latent_fusion*(sums%canopy_sublimation + sums%sublimation)
      net_radiation = weather%shortwave_down - sums%shortwave_up + weather%longwave_down - sums%longwave_up
      ! below a canopy all of what the ground emits less is taken from what goes up: a jump of tens of kelvins in one step
      ! may take more than there is
      radiative_temperature = sqrt(sqrt(max(sums%longwave_up, 0.0_rk)/stefan_boltzmann))
      residual = net_radiation - sums%sensible - latent - sums%soil_heat_gain - sums%snow_heat_gain + sums%bottom_flux
      growth_temperature = growth_temperature + (weather%air_temperature - growth_temperature)*min(dt/growth_time, 1.0_rk)
      where (sums%leaf_area > 0.0_rk)
         sums%stress = sums%stress/sums%leaf_area
      else where
         sums%stress = 1.0_rk
      end where
   end subroutine finish_land

end module pl_land_step
