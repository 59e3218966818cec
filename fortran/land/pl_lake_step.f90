!> One step of the lakes of a chunk: light, skin, heat, snow, convection, and the balances of energy and water.
!>
!> The level is fixed, as in CLM: precipitation less evaporation leaves as runoff, which is negative where evaporation
!> is larger; water that comes and goes so has the enthalpy of the surface it evaporates from, water or ice.
module pl_lake_step
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: latent_fusion
   use pl_kinds, only: rk
   use pl_lake_chunk, only: find_enthalpy, lake_chunk_type, lake_flux_type, lake_layers, settle_enthalpy
   use pl_lake_heat, only: eliminate_layers, lake_heat_type, substitute_layers
   use pl_lake_mixing, only: lake_conductance, water_diffusivity
   use pl_lake_overturn, only: overturn
   use pl_lake_radiation, only: lake_radiation
   use pl_lake_snow, only: sink_snow, step_snow
   use pl_lake_surface, only: lake_exchange, lake_skin_type, lake_surface
   use pl_land_chunk, only: weather_chunk_type
   implicit none (type, external)
   private
   public :: lake_step

contains

   !> Advance the lakes of a chunk by one step.
   pure subroutine lake_step(dt, stability_limit, weather, lake, flux)
      real(rk), intent(in) :: dt                      !! time step [s]
      real(rk), intent(in) :: stability_limit         !! largest zeta in stable air [1]
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      type(lake_chunk_type), intent(inout) :: lake
      type(lake_flux_type), intent(out) :: flux
      type(lake_heat_type) :: heat
      type(lake_skin_type) :: skin
      real(rk), dimension(w, lake_layers) :: absorbed, between, diffusivity, enthalpy, start
      real(rk), dimension(w) :: melted, snow, sublimated, sunk, surface_light
      call lake_radiation(weather, lake, flux%shortwave_up, surface_light, absorbed)
      call lake_exchange(stability_limit, weather, lake, surface_light, skin)
      call water_diffusivity(lake, skin%friction_velocity, skin%roughness, diffusivity)
      call lake_conductance(lake, diffusivity, between)
      call eliminate_layers(dt, lake, between, absorbed, heat)
      call find_enthalpy(lake, start)
      call lake_surface(dt, weather, lake, surface_light, start(:, 1), heat, skin)
      enthalpy = start
      call substitute_layers(dt, heat, skin%into_lake, enthalpy)
      flux%sensible = skin%sensible
      flux%evaporation = skin%evaporation
      flux%sublimation = merge(skin%evaporation, 0.0_rk, skin%is_frozen)
      flux%longwave_up = skin%longwave_up
      flux%latent = skin%latent_heat*skin%evaporation
      flux%friction_velocity = skin%friction_velocity
      lake%surface_temperature = skin%temperature
      snow = lake%snow
      call step_snow(dt, skin%is_frozen, weather%snowfall, flux%evaporation, skin%melt, snow, enthalpy(:, 1), sublimated, &
                     melted)
      call settle_enthalpy(enthalpy, lake)
      call overturn(lake, enthalpy)
      call settle_enthalpy(enthalpy, lake)
      call sink_snow(lake, snow, enthalpy, sunk)
      call settle_enthalpy(enthalpy, lake)
      call close_balances(dt, weather, start, snow, sublimated, melted + sunk, lake, flux)
   end subroutine lake_step

   !> Heat gained, runoff, and what the balances leave unexplained: from the state as it is kept.
   pure subroutine close_balances(dt, weather, start, snow, sublimated, melted, lake, flux)
      real(rk), intent(in) :: dt                     !! [s]
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: start(w, lake_layers)  !! enthalpy of the step's start [J m-2]
      real(rk), intent(in) :: snow(w)                !! of the step's end [kg m-2]
      real(rk), intent(in) :: sublimated(w)          !! from the snow [kg m-2]
      real(rk), intent(in) :: melted(w)              !! snow that went to the lake [kg m-2]
      type(lake_chunk_type), intent(inout) :: lake
      type(lake_flux_type), intent(inout) :: flux
      real(rk) :: finish(w, lake_layers), gain(w)
      integer :: i, k
      call find_enthalpy(lake, finish)
      gain = 0.0_rk
      do k = 1, lake_layers
         do i = 1, w
            gain(i) = gain(i) + (finish(i, k) - start(i, k))
         end do
      end do
      do i = 1, w
         flux%snow_melt(i) = melted(i)/dt
         flux%heat_gain(i) = (gain(i) + latent_fusion*melted(i))/dt
         flux%runoff(i) = weather%rainfall(i) + flux%snow_melt(i) - (flux%evaporation(i) - sublimated(i)/dt)
         flux%energy_residual(i) = weather%shortwave_down(i) - flux%shortwave_up(i) + weather%longwave_down(i) &
                                   - flux%longwave_up(i) - flux%sensible(i) - flux%latent(i) - flux%heat_gain(i)
         flux%water_residual(i) = snow(i) - lake%snow(i) - dt*(weather%rainfall(i) + weather%snowfall(i) &
                                                               - flux%evaporation(i) - flux%runoff(i))
         lake%snow(i) = snow(i)
      end do
   end subroutine close_balances

end module pl_lake_step
