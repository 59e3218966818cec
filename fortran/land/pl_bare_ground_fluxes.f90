!> Turbulent and longwave fluxes of ground without a canopy.
!>
!> CLM Technical Note, section 5.2: three iterations of the stability at the ground temperature of the
!> step's start; scalar roughness after Zeng and Dickinson (1998), J. Climate 11, 537-550.
module pl_bare_ground_fluxes
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: heat_capacity_air, kinematic_viscosity_air, stefan_boltzmann
   use pl_kinds, only: rk
   use pl_land_chunk, only: flux_chunk_type, ground_chunk_type, land_options_type, plant_chunk_type, &
         weather_chunk_type
   use pl_monin_obukhov, only: aerodynamic_resistance, first_stability, next_stability
   implicit none (type, external)
   private
   public :: bare_ground_fluxes, canopy_area_limit

   real(rk), parameter :: canopy_area_limit = 0.05_rk !! leaf and stem area from which there is a canopy [m2 m-2]
   integer, parameter :: niteration = 3               !! of the stability [1]
   real(rk), parameter :: roughness_factor = 0.13_rk  !! of ln(z0m/z0h) [1]
   real(rk), parameter :: roughness_power = 0.45_rk   !! of the roughness Reynolds number [1]

contains

   !> Fluxes of the lanes whose patch exists and has no canopy; other lanes of `flux` stay as they are.
   pure subroutine bare_ground_fluxes(options, weather, plant, ground, flux)
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(ground_chunk_type), intent(in) :: ground
      type(flux_chunk_type), intent(inout) :: flux
      logical :: is_bare(w)
      real(rk), dimension(w) :: height, log_momentum, log_scalar, rough_scalar, virtual_air, virtual_difference
      real(rk), dimension(w) :: warmth, moisture, zeta, wind, ustar, resistance_momentum, resistance
      integer :: i, iteration

      is_bare = plant%fraction > 0.0_rk .and. plant%leaf_area + plant%stem_area < canopy_area_limit
      if (.not. any(is_bare)) return
      do i = 1, w
         height(i) = weather%reference_height(i) + ground%roughness(i)
         log_momentum(i) = log(height(i)/ground%roughness(i))
         warmth(i) = weather%potential_temperature(i) - ground%temperature(i)
         moisture(i) = weather%specific_humidity(i) - ground%humidity(i) &
                       - ground%snow_cover(i)*(ground%snow_humidity(i) - ground%humidity(i))
         virtual_air(i) = weather%potential_temperature(i)*(1.0_rk + 0.61_rk*weather%specific_humidity(i))
         virtual_difference(i) = warmth(i)*(1.0_rk + 0.61_rk*weather%specific_humidity(i)) &
                                 + 0.61_rk*weather%potential_temperature(i)*moisture(i)
         rough_scalar(i) = ground%roughness(i)
         log_scalar(i) = log_momentum(i)
      end do
      call first_stability(weather%wind_speed, height, log_momentum, virtual_air, virtual_difference, &
                           options%stability_limit, zeta, wind)
      do iteration = 1, niteration
         call aerodynamic_resistance(wind, height, ground%roughness, rough_scalar, log_momentum, log_scalar, zeta, &
                                     ustar, resistance_momentum, resistance)
         do i = 1, w
            virtual_difference(i) = roughness_factor &
                                    *exp(roughness_power*log(ustar(i)*ground%roughness(i)/kinematic_viscosity_air))
            log_scalar(i) = log_momentum(i) + virtual_difference(i)
            rough_scalar(i) = ground%roughness(i)*exp(-virtual_difference(i))
         end do
         call next_stability(weather%wind_speed, height, ustar, resistance, weather%potential_temperature, &
                             virtual_air, weather%specific_humidity, warmth, moisture, options%stability_limit, &
                             zeta, wind)
      end do
      call aerodynamic_resistance(wind, height, ground%roughness, rough_scalar, log_momentum, log_scalar, zeta, &
                                  ustar, resistance_momentum, resistance)
      call store_bare(is_bare, weather, ground, ustar, resistance, flux)
   end subroutine bare_ground_fluxes

   !> Fluxes and slopes from the resistances.
   pure subroutine store_bare(is_bare, weather, ground, ustar, resistance, flux)
      logical, intent(in) :: is_bare(w)           !! lanes to fill
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      real(rk), intent(in) :: ustar(w)            !! [m s-1]
      real(rk), intent(in) :: resistance(w)       !! [s m-1]
      type(flux_chunk_type), intent(inout) :: flux
      real(rk) :: heat, vapour, cube, open, cover, moisture
      integer :: i
      do i = 1, w
         if (.not. is_bare(i)) cycle
         cover = ground%snow_cover(i)
         open = 1.0_rk - cover
         heat = weather%air_density(i)*heat_capacity_air/resistance(i)
         moisture = weather%specific_humidity(i) - ground%humidity(i)
         vapour = open*ground%evaporation_factor(i)*weather%air_density(i) &
                  /(resistance(i) + merge(ground%resistance(i), 0.0_rk, moisture < 0.0_rk))
         flux%sensible_canopy(i) = 0.0_rk
         flux%transpiration(i) = 0.0_rk
         flux%canopy_evaporation(i) = 0.0_rk
         flux%canopy_snow_share(i) = 0.0_rk
         flux%longwave_canopy(i) = 0.0_rk
         flux%gross_photosynthesis(i) = 0.0_rk
         flux%leaf_respiration(i) = 0.0_rk
         flux%canopy_conductance(i) = 0.0_rk
         flux%sensible_ground(i) = -open*heat*(weather%potential_temperature(i) - ground%soil_temperature(i))
         flux%sensible_ground_slope(i) = open*heat
         flux%ground_evaporation(i) = -vapour*moisture
         flux%ground_evaporation_slope(i) = vapour*ground%humidity_slope(i)
         cube = open*ground%emissivity(i)*stefan_boltzmann*ground%soil_temperature(i)**3
         flux%longwave_ground(i) = cube*ground%soil_temperature(i) - open*ground%emissivity(i)*weather%longwave_down(i)
         flux%longwave_ground_slope(i) = 4.0_rk*cube
         flux%sensible_snow(i) = -cover*heat*(weather%potential_temperature(i) - ground%snow_temperature(i))
         flux%sensible_snow_slope(i) = cover*heat
         vapour = cover*weather%air_density(i)/resistance(i)
         flux%sublimation(i) = -vapour*(weather%specific_humidity(i) - ground%snow_humidity(i))
         flux%sublimation_slope(i) = vapour*ground%snow_humidity_slope(i)
         cube = cover*ground%emissivity(i)*stefan_boltzmann*ground%snow_temperature(i)**3
         flux%longwave_snow(i) = cube*ground%snow_temperature(i) - cover*ground%emissivity(i)*weather%longwave_down(i)
         flux%longwave_snow_slope(i) = 4.0_rk*cube
         flux%longwave_up(i) = weather%longwave_down(i) + flux%longwave_ground(i) + flux%longwave_snow(i)
         flux%friction_velocity(i) = ustar(i)
         flux%iterations(i) = real(niteration, rk)
      end do
   end subroutine store_bare

end module pl_bare_ground_fluxes
