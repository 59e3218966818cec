!> One land step of a chunk of columns: radiation, turbulent fluxes, soil heat, and the water they ask for.
!>
!> Order as in the CLM Technical Note, chapter 1: surface state, patch by patch interception, radiation and
!> turbulent fluxes with the ground temperature of the step's start, implicit soil temperature, correction of the
!> ground fluxes with the change of the ground temperature. The subsurface then takes and gives water; what it
!> cannot give returns through `return_unmet_demand`. Snowfall melts on the ground and takes its latent heat
!> of fusion from it; a snow pack does not exist yet.
module pl_land_step
   use pl_bare_ground_fluxes, only: bare_ground_fluxes
   use pl_canopy_fluxes, only: canopy_fluxes
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: latent_fusion, latent_vaporisation, stefan_boltzmann
   use pl_interception, only: intercept
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, flux_chunk_type, ground_chunk_type, land_options_type, &
                            plant_chunk_type, radiation_chunk_type, weather_chunk_type
   use pl_radiation, only: patch_radiation
   use pl_root_uptake, only: share_uptake
   use pl_soil_temperature, only: soil_temperature_step
   implicit none (type, external)
   private
   public :: add_patch, close_energy, finish_land, land_sums_type, start_sums

   real(rk), parameter :: carbon_per_mole = 12.011e-9_rk !! carbon of one umol CO2 [kg umol-1]
   real(rk), parameter :: growth_time = 864000.0_rk      !! time scale of the growth temperature, 10 days [s]

   !> Column means over patches, and the water that the subsurface is asked for.
   type :: land_sums_type
      real(rk) :: shortwave_up(w)       !! [W m-2]
      real(rk) :: longwave_up(w)        !! [W m-2]
      real(rk) :: sensible(w)           !! [W m-2]
      real(rk) :: transpiration(w)      !! [kg m-2 s-1]
      real(rk) :: canopy_evaporation(w) !! [kg m-2 s-1]
      real(rk) :: soil_evaporation(w)   !! [kg m-2 s-1]
      real(rk) :: throughfall(w)        !! water reaching the ground, snowmelt included [kg m-2 s-1]
      real(rk) :: carbon(w)             !! gross primary production [kg m-2 s-1]
      real(rk) :: friction_velocity(w)  !! [m s-1]
      real(rk) :: stress(w)             !! water stress weighted with leaf area [1]
      real(rk) :: leaf_area(w)          !! [1]
      real(rk) :: ground_flux(w)        !! into the soil at the ground temperature of the step's start [W m-2]
      real(rk) :: ground_flux_slope(w)  !! derivative to the ground temperature [W m-2 K-1]
      real(rk) :: sensible_slope(w)     !! of the ground part [W m-2 K-1]
      real(rk) :: evaporation_slope(w)  !! of the ground part [kg m-2 s-1 K-1]
      real(rk) :: longwave_slope(w)     !! of the ground part [W m-2 K-1]
      real(rk) :: heat_gain(w)          !! of the soil [W m-2]
      real(rk) :: irrigation(w)         !! water from outside the column [kg m-2 s-1]
      real(rk) :: patch_gross(w)        !! gross primary production of the last patch [kg m-2 s-1]
      real(rk) :: patch_leaf_respiration(w) !! leaf respiration of the last patch, carbon [kg m-2 s-1]
   end type land_sums_type

contains

   !> Zero sums; snowfall reaches the ground and melts there.
   pure subroutine start_sums(weather, sums)
      type(weather_chunk_type), intent(in) :: weather
      type(land_sums_type), intent(out) :: sums
      sums%shortwave_up = 0.0_rk
      sums%longwave_up = 0.0_rk
      sums%sensible = 0.0_rk
      sums%transpiration = 0.0_rk
      sums%canopy_evaporation = 0.0_rk
      sums%soil_evaporation = 0.0_rk
      sums%throughfall = weather%snowfall
      sums%carbon = 0.0_rk
      sums%friction_velocity = 0.0_rk
      sums%stress = 0.0_rk
      sums%leaf_area = 0.0_rk
      sums%ground_flux = -latent_fusion*weather%snowfall
      sums%ground_flux_slope = 0.0_rk
      sums%sensible_slope = 0.0_rk
      sums%evaporation_slope = 0.0_rk
      sums%longwave_slope = 0.0_rk
      sums%heat_gain = 0.0_rk
      sums%irrigation = 0.0_rk
      sums%patch_gross = 0.0_rk
      sums%patch_leaf_respiration = 0.0_rk
   end subroutine start_sums

   !> Interception, radiation and turbulent fluxes of one patch; adds its share to the column.
   subroutine add_patch(dt, nlayer, options, weather, ground, plant, root_fraction, availability, &
                        soil_temperature, state, sums, root_uptake)
      real(rk), intent(in) :: dt                          !! time step [s]
      integer, intent(in) :: nlayer                       !! hydrological layers [1]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(plant_chunk_type), intent(inout) :: plant      !! in: plant; out: with its water stress
      real(rk), intent(in) :: root_fraction(w, nlayer)    !! [1]
      real(rk), intent(in) :: availability(w, nlayer)     !! of water to the roots [1]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      type(canopy_state_type), intent(inout) :: state
      type(land_sums_type), intent(inout) :: sums
      real(rk), intent(inout) :: root_uptake(w, nlayer)   !! column sink by roots [kg m-2 s-1]
      type(radiation_chunk_type) :: radiation
      type(flux_chunk_type) :: flux
      real(rk) :: uptake_share(w, nlayer), throughfall(w), wet_fraction(w), dry_fraction(w), change(w)
      integer :: k

      call share_uptake(nlayer, root_fraction, availability, soil_temperature, plant%water_stress, uptake_share)
      call patch_radiation(weather, plant, ground, radiation)
      call intercept(dt, plant, weather%rainfall + plant%sprinkling, state%canopy_water, throughfall, wet_fraction, dry_fraction)
      call canopy_fluxes(dt, options, weather, plant, ground, radiation, wet_fraction, dry_fraction, state, flux)
      call bare_ground_fluxes(options, weather, plant, ground, flux)

      ! the canopy cannot evaporate more than it holds: round-off of that limit stays in the evaporation
      change = state%canopy_water - dt*flux%canopy_evaporation
      flux%canopy_evaporation = flux%canopy_evaporation + min(change, 0.0_rk)/dt
      state%canopy_water = max(change, 0.0_rk)

      sums%patch_gross = carbon_per_mole*flux%gross_photosynthesis
      sums%patch_leaf_respiration = carbon_per_mole*flux%leaf_respiration

      associate (f => plant%fraction)
         sums%shortwave_up = sums%shortwave_up + f*radiation%reflected
         sums%longwave_up = sums%longwave_up + f*flux%longwave_up
         sums%sensible = sums%sensible + f*(flux%sensible_canopy + flux%sensible_ground)
         sums%transpiration = sums%transpiration + f*flux%transpiration
         sums%canopy_evaporation = sums%canopy_evaporation + f*flux%canopy_evaporation
         sums%soil_evaporation = sums%soil_evaporation + f*flux%ground_evaporation
         sums%throughfall = sums%throughfall + f*throughfall
         sums%carbon = sums%carbon + f*carbon_per_mole*flux%gross_photosynthesis
         sums%friction_velocity = sums%friction_velocity + f*flux%friction_velocity
         sums%stress = sums%stress + f*plant%leaf_area*plant%water_stress
         sums%leaf_area = sums%leaf_area + f*plant%leaf_area
         sums%ground_flux = sums%ground_flux + f*(radiation%ground_absorbed - flux%longwave_ground &
                            - flux%sensible_ground - latent_vaporisation*flux%ground_evaporation)
         sums%ground_flux_slope = sums%ground_flux_slope - f*(flux%longwave_ground_slope &
                                  + flux%sensible_ground_slope + latent_vaporisation*flux%ground_evaporation_slope)
         sums%sensible_slope = sums%sensible_slope + f*flux%sensible_ground_slope
         sums%evaporation_slope = sums%evaporation_slope + f*flux%ground_evaporation_slope
         sums%longwave_slope = sums%longwave_slope + f*flux%longwave_ground_slope
         do k = 1, nlayer
            root_uptake(:, k) = root_uptake(:, k) + f*flux%transpiration*uptake_share(:, k)
         end do
      end associate
   end subroutine add_patch

   !> Soil temperature with the linearised surface flux, and the correction of the ground fluxes.
   pure subroutine close_energy(dt, nthermal, thickness, conductivity, heat_capacity, soil_temperature, sums)
      real(rk), intent(in) :: dt                               !! time step [s]
      integer, intent(in) :: nthermal                          !! thermal layers [1]
      real(rk), intent(in) :: thickness(w, nthermal)           !! [m]
      real(rk), intent(in) :: conductivity(w, nthermal)        !! thermal [W m-1 K-1]
      real(rk), intent(in) :: heat_capacity(w, nthermal)       !! volumetric [J m-3 K-1]
      real(rk), intent(inout) :: soil_temperature(w, nthermal) !! [K]
      type(land_sums_type), intent(inout) :: sums
      real(rk) :: bottom_flux(w), surface_change(w), heat_change(w)
      bottom_flux = 0.0_rk
      call soil_temperature_step(dt, nthermal, thickness, conductivity, heat_capacity, soil_temperature, &
                                 sums%ground_flux, sums%ground_flux_slope, bottom_flux, surface_change, heat_change)
      sums%sensible = sums%sensible + sums%sensible_slope*surface_change
      sums%soil_evaporation = sums%soil_evaporation + sums%evaporation_slope*surface_change
      sums%longwave_up = sums%longwave_up + sums%longwave_slope*surface_change
      sums%heat_gain = heat_change/dt
   end subroutine close_energy

   !> Give the water that the soil could not deliver back to the fluxes, and compute the derived ones.
   pure subroutine finish_land(dt, weather, unmet_transpiration, unmet_evaporation, growth_temperature, sums, &
                               latent, net_radiation, radiative_temperature, residual)
      real(rk), intent(in) :: dt                       !! time step [s]
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: unmet_transpiration(w)   !! demand that the soil did not meet [kg m-2 s-1]
      real(rk), intent(in) :: unmet_evaporation(w)     !! demand that the soil did not meet [kg m-2 s-1]
      real(rk), intent(inout) :: growth_temperature(w) !! 10-day mean air temperature [K]
      type(land_sums_type), intent(inout) :: sums
      real(rk), intent(out) :: latent(w)               !! latent heat flux [W m-2]
      real(rk), intent(out) :: net_radiation(w)        !! [W m-2]
      real(rk), intent(out) :: radiative_temperature(w) !! [K]
      real(rk), intent(out) :: residual(w)             !! energy that does not close [W m-2]
      sums%transpiration = sums%transpiration - unmet_transpiration
      sums%soil_evaporation = sums%soil_evaporation - unmet_evaporation
      sums%sensible = sums%sensible + latent_vaporisation*(unmet_transpiration + unmet_evaporation)
      latent = latent_vaporisation*(sums%transpiration + sums%canopy_evaporation + sums%soil_evaporation)
      net_radiation = weather%shortwave_down - sums%shortwave_up + weather%longwave_down - sums%longwave_up
      radiative_temperature = sqrt(sqrt(sums%longwave_up/stefan_boltzmann))
      residual = net_radiation - sums%sensible - latent - sums%heat_gain - latent_fusion*weather%snowfall
      growth_temperature = growth_temperature + (weather%air_temperature - growth_temperature)*min(dt/growth_time, 1.0_rk)
      where (sums%leaf_area > 0.0_rk)
         sums%stress = sums%stress/sums%leaf_area
      else where
         sums%stress = 1.0_rk
      end where
   end subroutine finish_land

end module pl_land_step
