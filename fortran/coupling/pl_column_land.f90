!> Land phase of a step in a chunk of columns: surface, plants, snow, and heat of snow and ground.
!>
!> The land asks for soil evaporation and transpiration with the water that it sees; what the soil can give is for those
!> who move soil water to say (pl_column_step, pl_coupled_step), and is settled in pl_column_store.
module pl_column_land
   use pl_carbon_step, only: carbon_none
   use pl_chunk, only: first_column, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_column_carbon, only: note_patch_carbon
   use pl_column_irrigation, only: irrigate_patch
   use pl_column_model, only: column_model_type
   use pl_column_work, only: column_work_type, snow_flux_type
   use pl_constants, only: density_water, latent_fusion, latent_vaporisation
   use pl_ground_albedo, only: ground_albedo
   use pl_ground_column, only: ground_column_step
   use pl_ground_kind, only: ice_humidity, sealed_humidity
   use pl_ground_surface, only: bare_of_snow, cover_with_snow
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, ground_chunk_type, plant_chunk_type, stress_pressure_head, surface_glacier, &
                            surface_urban, weather_chunk_type
   use pl_land_load, only: load_patch_state, load_plant, load_snow, load_weather, store_patch_state
   use pl_land_step, only: add_patch, bend_slopes, correct_ground, land_sums_type, start_sums, surface_exchange
   use pl_root_uptake, only: availability_of_head, availability_of_water
   use pl_soil_evaporation, only: soil_surface_humidity, soil_surface_type
   use pl_plant_burial, only: bury_plants
   use pl_snow_albedo, only: snow_absorption, snow_albedo
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   use pl_snow_step, only: snow_step
   use pl_soil_thermal, only: soil_thermal_properties
   use pl_weather, only: derive_weather
   implicit none (type, external)
   private
   public :: land_phase

   integer, parameter :: most_passes = 6 !! solutions of ground heat, each with slopes over the way of the last [1]

contains

   !> Load a chunk and compute what the land asks of the soil; ice and liquid of the soil change with its heat.
   subroutine land_phase(model, dt, chunk, thickness, head, water, ice, root_uptake, work)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                               !! [s]
      integer, intent(in) :: chunk                             !! chunk index
      real(rk), intent(in) :: thickness(w, model%nthermal)     !! [m]
      real(rk), intent(in) :: head(w, model%nlayer)            !! at the start of the step [m]
      real(rk), intent(inout) :: water(w, model%nlayer)        !! liquid [m3 m-3]
      real(rk), intent(inout) :: ice(w, model%nlayer)          !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: root_uptake(w, model%nlayer)    !! demand [kg m-2 s-1]
      type(column_work_type), intent(inout) :: work            !! its columns are set
      real(rk), dimension(w, model%nlayer) :: seen_head, seen_water
      call load_snow(model%land, chunk, model%nsnow, work%source, work%snow)
      call load_weather(model%forcing, model%land_parameters, work%source, work%weather)
      call derive_weather(work%weather)
      if (model%has_expected_water) then
         call load_chunk(chunk, model%nlayer, model%expected_head, seen_head)
         call load_chunk(chunk, model%nlayer, model%expected_water, seen_water)
      else
         seen_head = head
         seen_water = water
      end if
      call land_chunk(model, dt, chunk, work%source, work%weather, thickness, work%snow, seen_head, seen_water, water, ice, &
                      work%sums, work%snow_flux, root_uptake)
      associate (source => work%source, sums => work%sums, snow_flux => work%snow_flux)
         call snow_step(dt, model%land_options%snow, work%weather, model%land_parameters%topography_deviation(source, 1), &
                        model%land%soil_temperature(source, 1), 0.5_rk*thickness(:, 1), sums%throughfall, &
                        sums%snow_throughfall, sums%sublimation, snow_flux%ice_before, work%snow, snow_flux%outflow, &
                        snow_flux%water_input, snow_flux%unmet_sublimation, snow_flux%lost_heat)
         ! ponded water and rain evaporate first; what is missing comes from the top layer
         work%surface_input = snow_flux%water_input - sums%soil_evaporation
      end associate
   end subroutine land_phase

   !> Surface state, patches, and heat of snow and soil of one chunk.
   subroutine land_chunk(model, dt, chunk, source, weather, thickness, snow, seen_head, seen_water, water, ice, &
                         sums, snow_flux, root_uptake)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                      !! [s]
      integer, intent(in) :: chunk                    !! chunk index
      integer, intent(in) :: source(w)                !! column of each lane
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(in) :: seen_head(w, model%nlayer)  !! that surface and roots see [m]
      real(rk), intent(in) :: seen_water(w, model%nlayer) !! that surface and roots see [m3 m-3]
      real(rk), intent(inout) :: water(w, model%nlayer) !! liquid [m3 m-3]
      real(rk), intent(inout) :: ice(w, model%nlayer) !! [m3 m-3]
      type(land_sums_type), intent(out) :: sums
      type(snow_flux_type), intent(out) :: snow_flux
      real(rk), intent(out) :: root_uptake(w, model%nlayer) !! demand [kg m-2 s-1]
      type(ground_chunk_type) :: ground
      type(soil_surface_type) :: surface
      type(plant_chunk_type) :: plant
      type(canopy_state_type) :: canopy
      real(rk), dimension(w, model%nlayer) :: availability, critical, wilting, roots
      real(rk), dimension(w, model%nthermal) :: soil_temperature
      integer :: first, last, layer, p
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      call load_chunk(chunk, model%nthermal, model%land%soil_temperature, soil_temperature)
      surface%porosity = model%derived%hydraulics(chunk)%porosity(:, 1)
      surface%air_dry_water = model%derived%air_dry_water(source)
      surface%tortuosity = model%derived%vapour_tortuosity(source)
      surface%field_capacity = model%derived%field_capacity(source)
      ground%temperature = soil_temperature(:, 1)
      ground%soil_temperature = soil_temperature(:, 1)
      ground%emissivity = model%land_options%soil_emissivity
      ground%roughness = model%land_options%soil_roughness
      call ground_albedo(model%land_parameters%soil_albedo_dry(source, :), &
                         model%land_parameters%soil_albedo_saturated(source, :), seen_water(:, 1) + ice(:, 1), ground)
      select case (model%land_options%surface_kind)
      case (surface_glacier)
         call ice_humidity(weather, ground)
      case (surface_urban)
         call sealed_humidity(weather, model%water%surface_water(source, 1), &
                              density_water*model%water_options%ponding_depth, ground)
      case default
         call soil_surface_humidity(model%land_options, weather, surface, seen_water(:, 1), ice(:, 1), seen_head(:, 1), &
                                    ground)
      end select
      call bare_of_snow(ground)
      if (any(snow%top <= snow%nsnow)) then
         call snow_albedo(model%land_options%snow_albedo, model%land_options%snow%dust_darkening, weather%cosine_zenith, &
                          weather%air_pressure, &
                          ground%albedo_diffuse, snow, ground%snow_albedo_direct, ground%snow_albedo_diffuse)
         call cover_with_snow(model%land_options, weather, snow, ground)
      end if
      call start_sums(ground, sums)
      if (model%land_options%surface_kind == surface_glacier) sums%soil_latent = latent_vaporisation + latent_fusion
      root_uptake = 0.0_rk
      if (model%land_options%water_stress /= stress_pressure_head) then
         call load_chunk(chunk, model%nlayer, model%derived%critical_water, critical)
         call load_chunk(chunk, model%nlayer, model%derived%wilting_water, wilting)
         call availability_of_water(model%nlayer, seen_water, critical, wilting, availability)
      end if
      do p = 1, model%npatch
         layer = (p - 1)*model%nlayer
         call load_plant(model%land_parameters, model%forcing, model%land, source, p, plant)
         call load_patch_state(model%land, source, p, canopy)
         if (any(snow%top <= snow%nsnow)) call bury_plants(snow, plant)
         if (model%irrigation%is_on) then
            call irrigate_patch(model, dt, chunk, source, p, thickness, water, soil_temperature, plant, sums)
         end if
         if (model%land_options%water_stress == stress_pressure_head) then
            call availability_of_head(model%nlayer, seen_head, model%land_parameters%psi_open(source, p), &
                                      model%land_parameters%psi_closed(source, p), availability)
         end if
         call load_chunk(chunk, model%nlayer, model%land_parameters%root_fraction(:, layer + 1:layer + model%nlayer), roots)
         call add_patch(dt, model%nlayer, model%land_options, weather, ground, plant, roots, availability, &
                        soil_temperature, canopy, sums, root_uptake)
         call store_patch_state(canopy, first, last - first + 1, p, model%land)
         if (model%carbon%scheme /= carbon_none) call note_patch_carbon(model, sums, first, last, p)
      end do
      call ground_heat(model, dt, chunk, weather, thickness, snow, soil_temperature, water, ice, sums, snow_flux)
      model%land%soil_temperature(first:last, :) = soil_temperature(:last - first + 1, :)
   end subroutine land_chunk

   !> Heat and phase change of snow and soil of one chunk.
   subroutine ground_heat(model, dt, chunk, weather, thickness, snow, soil_temperature, water, ice, sums, snow_flux)
      type(column_model_type), intent(in) :: model
      real(rk), intent(in) :: dt                           !! [s]
      integer, intent(in) :: chunk                         !! chunk index
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(inout) :: soil_temperature(w, model%nthermal) !! [K]
      real(rk), intent(inout) :: water(w, model%nlayer)    !! [m3 m-3]
      real(rk), intent(inout) :: ice(w, model%nlayer)      !! [m3 m-3]
      type(land_sums_type), intent(inout) :: sums
      type(snow_flux_type), intent(out) :: snow_flux
      real(rk), dimension(w, model%nlayer) :: dry_conductivity, wet_conductivity, dry_capacity, film, curve_scale, curve_power
      real(rk), dimension(w, model%nthermal) :: conductivity, capacity
      real(rk) :: snow_light(w, most_snow_layers), light_below(w), snow_heat(w), soil_heat(w)
      real(rk) :: temperature_before(w, model%nthermal), water_before(w, model%nlayer), ice_before(w, model%nlayer)
      real(rk) :: soil_way(w), snow_way(w)
      type(snow_chunk_type) :: snow_before
      type(land_sums_type) :: tangent
      logical :: is_bent(w)
      integer :: iterations(w), n, pass
      call load_chunk(chunk, model%nlayer, model%derived%thermal%dry_conductivity, dry_conductivity)
      call load_chunk(chunk, model%nlayer, model%derived%thermal%saturated_conductivity, wet_conductivity)
      call load_chunk(chunk, model%nlayer, model%derived%thermal%dry_heat_capacity, dry_capacity)
      call load_chunk(chunk, model%nlayer, model%derived%freezing_film, film)
      call load_chunk(chunk, model%nlayer, model%derived%freezing_scale, curve_scale)
      call load_chunk(chunk, model%nlayer, model%derived%freezing_power, curve_power)
      call soil_thermal_properties(model%nlayer, model%nthermal, dry_conductivity, wet_conductivity, dry_capacity, &
                                   model%derived%hydraulics(chunk)%porosity, water, ice, conductivity, capacity)
      n = merge(snow%nsnow, 0, any(snow%top <= snow%nsnow))
      if (n > 0) then
         call snow_absorption(snow, sums%snow_light(:, 1), sums%snow_light(:, 2), snow_light, light_below)
      else
         snow_light = 0.0_rk
         light_below = 0.0_rk
      end if
      call surface_exchange(light_below, sums)
      snow_before = snow
      temperature_before = soil_temperature
      water_before = water
      ice_before = ice
      tangent = sums
      soil_way = 0.0_rk
      snow_way = 0.0_rk
      do pass = 1, most_passes
         call ground_column_step(dt, n, model%nlayer, model%nthermal, model%land_options%snow_conductivity, thickness, &
                                 conductivity, capacity, film, curve_scale, curve_power, snow_light, &
                                 model%land_options%bottom_heat_flux, snow, soil_temperature, water, ice, sums%snow, &
                                 sums%soil, snow_flux%melt, snow_heat, soil_heat, iterations)
         if (pass == most_passes) exit
         call bend_slopes(weather, tangent, soil_way, snow_way, sums, is_bent)
         if (.not. any(is_bent)) exit
         snow = snow_before
         soil_temperature = temperature_before
         water = water_before
         ice = ice_before
      end do
      call correct_ground(sums)
      snow_flux%ice_before = snow_before%ice
      sums%snow_heat_gain = snow_heat/dt
      sums%soil_heat_gain = soil_heat/dt
      sums%bottom_flux = model%land_options%bottom_heat_flux
      snow_flux%melt = snow_flux%melt/dt
      snow_flux%iterations = real(iterations, rk)
   end subroutine ground_heat

end module pl_column_land
