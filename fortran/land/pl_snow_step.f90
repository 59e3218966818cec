!> The snow pack after heat has passed through it: melt, vapour, new snow, water, grains, layers, settling, cover.
module pl_snow_step
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: latent_fusion
   use pl_fresh_snow, only: add_snowfall, fresh_snow_density
   use pl_kinds, only: rk
   use pl_land_chunk, only: weather_chunk_type
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   use pl_snow_compaction, only: compact_snow, settle_melt
   use pl_snow_cover, only: update_snow_cover
   use pl_snow_grains, only: age_dust, age_snow, grow_grains
   use pl_snow_layers, only: combine_and_divide, remove_trace
   use pl_snow_options, only: snow_options_type
   use pl_snow_vapour, only: exchange_vapour
   use pl_snow_water, only: percolate
   implicit none (type, external)
   private
   public :: snow_step

contains

   !> Advance the pack; rain falls on snow and beside it by the share that snow covers.
   subroutine snow_step(dt, options, weather, topography, soil_temperature, soil_distance, rain, snowfall, sublimation, &
                        ice_before, snow, outflow, water_input, unmet_sublimation, lost_heat)
      real(rk), intent(in) :: dt                    !! time step [s]
      type(snow_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: topography(w)         !! standard deviation of elevation [m]
      real(rk), intent(in) :: soil_temperature(w)   !! of the top soil layer [K]
      real(rk), intent(in) :: soil_distance(w)      !! from the ground to the middle of that layer [m]
      real(rk), intent(in) :: rain(w)               !! reaching the ground [kg m-2 s-1]
      real(rk), intent(in) :: snowfall(w)           !! reaching the ground [kg m-2 s-1]
      real(rk), intent(in) :: sublimation(w)        !! wanted [kg m-2 s-1]
      real(rk), intent(in) :: ice_before(w, most_snow_layers) !! before the phase change [kg m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(out) :: outflow(w)           !! at the base of the snow [kg m-2 s-1]
      real(rk), intent(out) :: water_input(w)       !! to soil and pond [kg m-2 s-1]
      real(rk), intent(out) :: unmet_sublimation(w) !! [kg m-2 s-1]
      real(rk), intent(out) :: lost_heat(w)         !! that the traces of snow lacked to be water [W m-2]
      real(rk) :: density(w), ice(w), liquid(w), heat(w), refrozen(w, most_snow_layers), surface(w), on_snow(w)
      integer :: i, k
      outflow = 0.0_rk
      water_input = rain
      unmet_sublimation = 0.0_rk
      lost_heat = 0.0_rk
      if (all(snow%top > snow%nsnow) .and. all(snowfall <= 0.0_rk)) return

      surface = soil_temperature
      do k = 1, snow%nsnow
         do i = 1, w
            refrozen(i, k) = max(snow%ice(i, k) - ice_before(i, k), 0.0_rk)
            surface(i) = merge(snow%temperature(i, k), surface(i), k == snow%top(i))
         end do
      end do
      call settle_melt(ice_before, snow)
      call grow_grains(dt, weather%air_pressure, soil_temperature, soil_distance, refrozen, snow)
      call exchange_vapour(dt, sublimation, snow, unmet_sublimation)
      call fresh_snow_density(options%fresh_density, weather%air_temperature, weather%wind_speed, density)
      call add_snowfall(dt, snowfall, weather%air_temperature, density, snow)
      on_snow = merge(snow%cover*rain, 0.0_rk, snow%top <= snow%nsnow)
      call percolate(options, dt, on_snow, snow, outflow)
      water_input = (rain - on_snow) + outflow
      call remove_trace(snow, ice, liquid, heat)
      water_input = water_input + (ice + liquid)/dt
      lost_heat = (latent_fusion*(ice + liquid) - heat)/dt
      ! thickness is that where snow lies: cover first, then the limits of the layers
      call update_snow_cover(options, topography, dt*snowfall, snow)
      call combine_and_divide(snow)
      call compact_snow(options, dt, weather%wind_speed, snow)
      call age_snow(dt, surface, dt*snowfall, snow)
      call age_dust(dt, snow)
   end subroutine snow_step

end module pl_snow_step
