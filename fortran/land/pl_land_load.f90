!> Load chunks of forcing, plants and patch state from the fields of the land columns, and store them.
!>
!> `source` holds the column of each lane (pl_chunk: the last column feeds the lanes beyond it).
module pl_land_load
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, near_infrared, plant_chunk_type, visible, weather_chunk_type
   use pl_chunk_load, only: load_chunk
   use pl_snow_chunk, only: snow_chunk_type
   use pl_land_state, only: land_forcing_type, land_parameter_type, land_state_type
   implicit none (type, external)
   private
   public :: load_patch_state, load_plant, load_snow, load_weather, store_patch_state, store_snow

contains

   !> Forcing of a chunk; derived members are left to `derive_weather`.
   pure subroutine load_weather(forcing, parameters, source, weather)
      type(land_forcing_type), intent(in) :: forcing
      type(land_parameter_type), intent(in) :: parameters
      integer, intent(in) :: source(w) !! column of each lane
      type(weather_chunk_type), intent(out) :: weather
      weather%air_temperature = forcing%air_temperature(source, 1)
      weather%specific_humidity = forcing%specific_humidity(source, 1)
      weather%air_pressure = forcing%surface_pressure(source, 1)
      weather%wind_speed = forcing%wind_speed(source, 1)
      weather%rainfall = forcing%rain(source, 1)
      weather%snowfall = forcing%snowfall(source, 1)
      weather%shortwave_down = forcing%shortwave_down(source, 1)
      weather%longwave_down = forcing%longwave_down(source, 1)
      weather%cosine_zenith = forcing%cosine_zenith(source, 1)
      weather%co2 = forcing%co2(source, 1)
      weather%reference_height = parameters%reference_height(source, 1)
   end subroutine load_weather

   !> Plants of one patch.
   pure subroutine load_plant(parameters, forcing, state, source, patch, plant)
      type(land_parameter_type), intent(in) :: parameters
      type(land_forcing_type), intent(in) :: forcing
      type(land_state_type), intent(in) :: state
      integer, intent(in) :: source(w) !! column of each lane
      integer, intent(in) :: patch     !! patch index
      type(plant_chunk_type), intent(out) :: plant
      plant%fraction = parameters%patch_fraction(source, patch)
      plant%leaf_area = forcing%leaf_area_index(source, patch)
      plant%stem_area = forcing%stem_area_index(source, patch)
      plant%canopy_top = parameters%canopy_top(source, patch)
      plant%canopy_bottom = parameters%canopy_bottom(source, patch)
      plant%leaf_angle = parameters%leaf_angle(source, patch)
      plant%leaf_reflectance(:, visible) = parameters%leaf_reflectance_vis(source, patch)
      plant%leaf_reflectance(:, near_infrared) = parameters%leaf_reflectance_nir(source, patch)
      plant%leaf_transmittance(:, visible) = parameters%leaf_transmittance_vis(source, patch)
      plant%leaf_transmittance(:, near_infrared) = parameters%leaf_transmittance_nir(source, patch)
      plant%stem_reflectance(:, visible) = parameters%stem_reflectance_vis(source, patch)
      plant%stem_reflectance(:, near_infrared) = parameters%stem_reflectance_nir(source, patch)
      plant%stem_transmittance(:, visible) = parameters%stem_transmittance_vis(source, patch)
      plant%stem_transmittance(:, near_infrared) = parameters%stem_transmittance_nir(source, patch)
      plant%roughness_ratio = parameters%roughness_ratio(source, patch)
      plant%displacement_ratio = parameters%displacement_ratio(source, patch)
      plant%leaf_dimension = parameters%leaf_dimension(source, patch)
      plant%vcmax25_top = parameters%vcmax25_top(source, patch)
      plant%is_c4 = parameters%is_c4(source, patch)
      plant%stomatal_slope = parameters%stomatal_slope(source, patch)
      plant%stomatal_intercept = parameters%stomatal_intercept(source, patch)
      plant%growth_temperature = state%growth_temperature(source, 1)
      plant%daylength_factor = forcing%daylength_factor(source, 1)
      plant%snow_share = 0.0_rk
      plant%water_stress = 1.0_rk
      plant%sprinkling = 0.0_rk
   end subroutine load_plant

   !> Prognostic state of one patch.
   pure subroutine load_patch_state(state, source, patch, canopy)
      type(land_state_type), intent(in) :: state
      integer, intent(in) :: source(w) !! column of each lane
      integer, intent(in) :: patch     !! patch index
      type(canopy_state_type), intent(out) :: canopy
      canopy%leaf_temperature = state%leaf_temperature(source, patch)
      canopy%canopy_water = state%canopy_water(source, patch)
      canopy%canopy_snow = state%canopy_snow(source, patch)
   end subroutine load_patch_state

   !> Write the state of one patch back.
   pure subroutine store_patch_state(canopy, first, count, patch, state)
      type(canopy_state_type), intent(in) :: canopy
      integer, intent(in) :: first !! first column of the chunk
      integer, intent(in) :: count !! valid lanes
      integer, intent(in) :: patch !! patch index
      type(land_state_type), intent(inout) :: state
      state%leaf_temperature(first:first + count - 1, patch) = canopy%leaf_temperature(:count)
      state%canopy_water(first:first + count - 1, patch) = canopy%canopy_water(:count)
      state%canopy_snow(first:first + count - 1, patch) = canopy%canopy_snow(:count)
   end subroutine store_patch_state

   !> The snow packs of a chunk.
   pure subroutine load_snow(state, chunk, nsnow, source, snow)
      type(land_state_type), intent(in) :: state
      integer, intent(in) :: chunk     !! chunk index
      integer, intent(in) :: nsnow     !! layers that may exist [1]
      integer, intent(in) :: source(w) !! column of each lane
      type(snow_chunk_type), intent(out) :: snow
      integer :: i, k
      snow%nsnow = nsnow
      call load_chunk(chunk, nsnow, state%snow_ice, snow%ice(:, :nsnow))
      call load_chunk(chunk, nsnow, state%snow_liquid, snow%liquid(:, :nsnow))
      call load_chunk(chunk, nsnow, state%snow_layer_thickness, snow%thickness(:, :nsnow))
      call load_chunk(chunk, nsnow, state%snow_temperature, snow%temperature(:, :nsnow))
      call load_chunk(chunk, nsnow, state%snow_grain_radius, snow%grain_radius(:, :nsnow))
      snow%age = state%snow_age(source, 1)
      call load_chunk(chunk, nsnow, state%snow_dust_age, snow%dust_age(:, :nsnow))
      snow%cover = state%snow_cover_fraction(source, 1)
      snow%mass_maximum = state%snow_mass_maximum(source, 1)
      snow%top = nsnow + 1
      do k = nsnow, 1, -1
         do i = 1, w
            snow%top(i) = merge(k, snow%top(i), snow%ice(i, k) + snow%liquid(i, k) > 0.0_rk)
         end do
      end do
   end subroutine load_snow

   !> Write the snow packs of a chunk back.
   pure subroutine store_snow(snow, first, count, state)
      type(snow_chunk_type), intent(in) :: snow
      integer, intent(in) :: first !! first column of the chunk
      integer, intent(in) :: count !! valid lanes
      type(land_state_type), intent(inout) :: state
      integer :: last, n
      n = snow%nsnow
      last = first + count - 1
      state%snow_ice(first:last, :) = snow%ice(:count, :n)
      state%snow_liquid(first:last, :) = snow%liquid(:count, :n)
      state%snow_layer_thickness(first:last, :) = snow%thickness(:count, :n)
      state%snow_temperature(first:last, :) = snow%temperature(:count, :n)
      state%snow_grain_radius(first:last, :) = snow%grain_radius(:count, :n)
      state%snow_age(first:last, 1) = snow%age(:count)
      state%snow_dust_age(first:last, :) = snow%dust_age(:count, :n)
      state%snow_cover_fraction(first:last, 1) = snow%cover(:count)
      state%snow_mass_maximum(first:last, 1) = snow%mass_maximum(:count)
   end subroutine store_snow

end module pl_land_load
