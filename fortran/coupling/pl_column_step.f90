!> One coupled step of land and soil water, chunk by chunk, threads over chunks.
!>
!> Land asks for transpiration and soil evaporation with the water of the step's start; the soil gives what it has,
!> and what it cannot give returns into the fluxes of the same step, its latent heat as sensible heat. Where soil water
!> is prescribed, the soil gives and takes all that the land asks for, and stays as it is. Every step
!> closes water and energy in every column, or ends with an error that names the column.
module pl_column_step
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_carbon_step, only: carbon_none
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_column_carbon, only: check_carbon_closure, note_patch_carbon, step_carbon
   use pl_column_irrigation, only: irrigate_patch
   use pl_column_model, only: column_model_type
   use pl_column_water, only: chunk_storage, require_prepared, water_above
   use pl_constants, only: density_water, freezing_point, latent_fusion, latent_vaporisation
   use pl_error, only: error_balance, error_convergence, error_input, error_state, error_type, raise_error
   use pl_frozen_soil, only: create_frozen_soil, follow_ice, freeze_hydraulics
   use pl_ground_albedo, only: ground_albedo
   use pl_ground_column, only: ground_column_step
   use pl_ground_kind, only: ice_humidity, sealed_humidity
   use pl_ground_kind_water, only: bury_snow, glacier_water, sealed_water
   use pl_ground_surface, only: bare_of_snow, cover_with_snow
   use pl_field_table, only: role_forcing, role_state
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, ground_chunk_type, plant_chunk_type, stress_pressure_head, &
                            surface_glacier, surface_soil, surface_urban, weather_chunk_type
   use pl_land_load, only: load_patch_state, load_plant, load_snow, load_weather, store_patch_state, store_snow
   use pl_land_step, only: add_patch, bend_slopes, correct_ground, finish_land, land_sums_type, start_sums, surface_exchange
   use pl_richards_column, only: richards_column_step, richards_flux_type
   use pl_root_uptake, only: availability_of_head, availability_of_water
   use pl_soil_evaporation, only: soil_surface_humidity, soil_surface_type
   use pl_plant_burial, only: bury_plants
   use pl_snow_albedo, only: snow_absorption, snow_albedo
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type, snow_mass
   use pl_snow_step, only: snow_step
   use pl_soil_hydraulics, only: soil_hydraulics_type
   use pl_soil_thermal, only: soil_thermal_properties
   use pl_water_table, only: water_table_depth
   use pl_weather, only: derive_weather
   implicit none (type, external)
   private
   public :: column_model_step

   real(rk), parameter :: energy_tolerance = 1.0e-6_rk !! largest energy residual of a step [W m-2]
   real(rk), parameter :: water_tolerance = 1.0e-9_rk  !! largest water residual of a step [kg m-2]
   real(rk), parameter :: longest_step = 86400.0_rk    !! [s]
   integer, parameter :: most_passes = 6 !! solutions of ground heat, each with slopes over the way of the last [1]

   !> What snow does in a step, mean over the step.
   type :: snow_flux_type
      real(rk) :: melt(w)              !! refreezing negative [kg m-2 s-1]
      real(rk) :: outflow(w)           !! water leaving the snow at its base [kg m-2 s-1]
      real(rk) :: unmet_sublimation(w) !! demand without ice to meet it [kg m-2 s-1]
      real(rk) :: water_input(w)       !! rain, drip and outflow reaching the soil [kg m-2 s-1]
      real(rk) :: lost_heat(w)         !! of fusion of traces of snow that vanish [W m-2]
      real(rk) :: ice_before(w, most_snow_layers) !! before the phase change [kg m-2]
      real(rk) :: iterations(w)        !! of ground heat [1]
   end type snow_flux_type

contains

   !> Advance all columns.
   subroutine column_model_step(model, dt, error)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error !! bad step or forcing, no convergence, open balance
      type(error_type), allocatable :: problem
      integer :: chunk, failed, nchunk
      logical :: is_step
      call require_prepared(model, error)
      if (allocated(error)) return
      is_step = ieee_is_finite(dt)
      if (is_step) is_step = dt > 0.0_rk .and. dt <= longest_step
      if (.not. is_step) then
         call raise_error(error, error_input, "the time step must lie in (0, 86400] s")
         return
      end if
      call check_finite(model, error)
      if (allocated(error)) return
      nchunk = chunk_count(model%ncolumn)
      failed = nchunk + 1
      !$omp parallel do default(none) shared(model, dt, nchunk, failed, error) private(chunk, problem) schedule(static)
      do chunk = 1, nchunk
         call step_chunk(model, dt, chunk, problem)
         if (allocated(problem)) then
            ! whatever the threads, the error of the first chunk is the one that is told
            !$omp critical (column_error)
            if (chunk < failed) then
               failed = chunk
               error = problem
            end if
            !$omp end critical (column_error)
         end if
      end do
      !$omp end parallel do
      if (allocated(error)) return
      call check_closure(model, error)
      if (allocated(error)) return
      call check_carbon_closure(model, error)
   end subroutine column_model_step

   !> State and forcing must be finite numbers; ranges are checked where they are read.
   subroutine check_finite(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=:), allocatable :: name
      integer :: column
      call model%table%find_nonfinite(role_forcing, name, column)
      if (column > 0) then
         call raise_error(error, error_state, "the forcing '"//name//"' is not a finite number in column "//number(column))
         return
      end if
      call model%table%find_nonfinite(role_state, name, column)
      if (column > 0) then
         call raise_error(error, error_state, "the state '"//name//"' is not a finite number in column "//number(column))
      end if
   end subroutine check_finite

   !> Residuals of all columns must be within the tolerances; NaN never is.
   subroutine check_closure(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=12) :: size_text
      integer :: column
      associate (energy => model%land_flux%energy_balance_residual(:, 1), water => model%water_flux%water_balance_residual(:, 1))
         if (.not. all(abs(energy) < energy_tolerance)) then
            column = findloc(abs(energy) < energy_tolerance, .false., dim=1)
            write (size_text, "(es10.2)") energy(column)
            call raise_error(error, error_balance, "energy does not close in column "//number(column)//": residual"// &
                             trim(size_text)//" W m-2")
         else if (.not. all(abs(water) < water_tolerance)) then
            column = findloc(abs(water) < water_tolerance, .false., dim=1)
            write (size_text, "(es10.2)") water(column)
            call raise_error(error, error_balance, "water does not close in column "//number(column)//": residual"// &
                             trim(size_text)//" kg m-2")
         end if
      end associate
   end subroutine check_closure

   !> Land, snow and soil water of one chunk.
   subroutine step_chunk(model, dt, chunk, error)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt       !! [s]
      integer, intent(in) :: chunk     !! chunk index
      type(error_type), allocatable, intent(out) :: error !! soil water did not converge
      type(weather_chunk_type) :: weather
      type(land_sums_type) :: sums
      type(snow_chunk_type) :: snow
      type(snow_flux_type) :: snow_flux
      type(richards_flux_type) :: moved
      real(rk), dimension(w, model%nlayer) :: root_uptake, taken, head, water, ice
      real(rk) :: thickness(w, model%nthermal)
      real(rk), dimension(w) :: pond, above, soil, frozen, storage_before, unmet_transpiration, unmet_evaporation
      real(rk) :: surface_input(w)
      integer :: i, nlayer, source(w)
      nlayer = model%nlayer
      do i = 1, w
         source(i) = lane_source(chunk, i, model%ncolumn)
      end do
      call load_chunk(chunk, nlayer, model%water%pressure_head, head)
      call load_chunk(chunk, nlayer, model%water%soil_water, water)
      call load_chunk(chunk, nlayer, model%land%soil_ice, ice)
      call load_chunk(chunk, model%nthermal, model%land_parameters%thickness, thickness)
      call load_snow(model%land, chunk, model%nsnow, source, snow)
      pond = model%water%surface_water(source, 1)
      call water_above(model, source, above)
      call chunk_storage(nlayer, thickness, model%derived%hydraulics(chunk), water, ice, head, above, soil, frozen, &
                         storage_before)
      call load_weather(model%forcing, model%land_parameters, source, weather)
      call derive_weather(weather)
      call land_chunk(model, dt, chunk, source, weather, thickness, snow, head, water, ice, sums, snow_flux, root_uptake)
      call snow_step(dt, model%land_options%snow, weather, model%land_parameters%topography_deviation(source, 1), &
                     model%land%soil_temperature(source, 1), 0.5_rk*thickness(:, 1), sums%throughfall, &
                     sums%snow_throughfall, sums%sublimation, snow_flux%ice_before, snow, snow_flux%outflow, &
                     snow_flux%water_input, snow_flux%unmet_sublimation, snow_flux%lost_heat)

      ! ponded water and rain evaporate first; what is missing comes from the top layer
      surface_input = snow_flux%water_input - sums%soil_evaporation
      if (model%land_options%surface_kind /= surface_soil) then
         call move_over_ground(model, dt, chunk, thickness, surface_input, sums%soil_evaporation, snow, water, ice, pond, moved, &
                               unmet_evaporation)
         unmet_transpiration = 0.0_rk
      else if (model%has_soil_water) then
         call move_water(model, dt, chunk, thickness, surface_input, root_uptake, ice, head, water, pond, taken, moved, error)
         if (allocated(error)) return
         unmet_transpiration = sum(root_uptake - taken, 2)
         unmet_evaporation = max(-surface_input, 0.0_rk) - moved%surface_evaporation
      else
         call keep_water(surface_input, moved)
         unmet_transpiration = 0.0_rk
         unmet_evaporation = 0.0_rk
      end if
      model%water%pressure_head(first_column(chunk):last_column(chunk, model%ncolumn), :) = head(:lanes(model, chunk), :)
      model%water%soil_water(first_column(chunk):last_column(chunk, model%ncolumn), :) = water(:lanes(model, chunk), :)
      model%water%surface_water(first_column(chunk):last_column(chunk, model%ncolumn), 1) = pond(:lanes(model, chunk))
      model%land%soil_ice(first_column(chunk):last_column(chunk, model%ncolumn), :) = ice(:lanes(model, chunk), :)
      call store_snow(snow, first_column(chunk), lanes(model, chunk), model%land)
      call store(model, dt, chunk, source, weather, thickness, unmet_transpiration, unmet_evaporation, snow, snow_flux, &
                 sums, moved, head, water, ice, storage_before)
      if (model%carbon%scheme /= carbon_none) then
         call step_carbon(model, dt, chunk, source, weather%air_temperature, thickness, head)
      end if
   end subroutine step_chunk

   !> Valid lanes of a chunk.
   pure integer function lanes(model, chunk)
      type(column_model_type), intent(in) :: model
      integer, intent(in) :: chunk !! chunk index
      lanes = last_column(chunk, model%ncolumn) - first_column(chunk) + 1
   end function lanes

   !> Soil water of one chunk, in the pores that ice leaves open.
   subroutine move_water(model, dt, chunk, thickness, surface_input, root_uptake, ice, head, water, pond, taken, moved, error)
      type(column_model_type), intent(in) :: model
      real(rk), intent(in) :: dt                               !! [s]
      integer, intent(in) :: chunk                             !! chunk index
      real(rk), intent(in) :: thickness(w, model%nthermal)     !! [m]
      real(rk), intent(in) :: surface_input(w)                 !! [kg m-2 s-1]
      real(rk), intent(in) :: root_uptake(w, model%nlayer)     !! [kg m-2 s-1]
      real(rk), intent(in) :: ice(w, model%nlayer)             !! [m3 m-3]
      real(rk), intent(inout) :: head(w, model%nlayer)         !! [m]
      real(rk), intent(inout) :: water(w, model%nlayer)        !! [m3 m-3]
      real(rk), intent(inout) :: pond(w)                       !! [kg m-2]
      real(rk), intent(out) :: taken(w, model%nlayer)          !! [kg m-2 s-1]
      type(richards_flux_type), intent(out) :: moved
      type(error_type), allocatable, intent(out) :: error      !! no convergence, not enough memory
      type(soil_hydraulics_type) :: frozen
      real(rk) :: ice_before(w, model%nlayer)
      call load_chunk(chunk, model%nlayer, model%land%soil_ice, ice_before)
      if (any(ice > 0.0_rk) .or. any(ice_before > 0.0_rk)) then
         call create_frozen_soil(model%nlayer, model%derived%hydraulics(chunk), frozen, error)
         if (allocated(error)) return
         call freeze_hydraulics(model%nlayer, model%derived%hydraulics(chunk), ice, frozen)
         call follow_ice(model%nlayer, frozen, ice_before, ice, water, head)
         call richards_column_step(dt, model%nlayer, first_column(chunk), thickness, frozen, model%water_options, &
                                   surface_input, root_uptake, head, water, pond, taken, moved, error)
      else
         call richards_column_step(dt, model%nlayer, first_column(chunk), thickness, model%derived%hydraulics(chunk), &
                                   model%water_options, surface_input, root_uptake, head, water, pond, taken, moved, error)
      end if
   end subroutine move_water

   !> Water of a ground that is no soil.
   subroutine move_over_ground(model, dt, chunk, thickness, surface_input, evaporation, snow, water, ice, pond, moved, unmet)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                           !! [s]
      integer, intent(in) :: chunk                         !! chunk index
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      real(rk), intent(in) :: surface_input(w)             !! less evaporation [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(w)               !! [kg m-2 s-1]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(inout) :: water(w, model%nlayer)    !! [m3 m-3]
      real(rk), intent(inout) :: ice(w, model%nlayer)      !! [m3 m-3]
      real(rk), intent(inout) :: pond(w)                   !! held by sealed ground, gained by the glacier [kg m-2]
      type(richards_flux_type), intent(out) :: moved
      real(rk), intent(out) :: unmet(w)                    !! evaporation without water to feed it [kg m-2 s-1]
      integer :: first, last
      if (model%land_options%surface_kind == surface_glacier) then
         first = first_column(chunk)
         last = last_column(chunk, model%ncolumn)
         call glacier_water(dt, model%nlayer, thickness, model%derived%hydraulics(chunk)%porosity, surface_input + evaporation, &
                            evaporation, water, ice, pond, moved)
         unmet = 0.0_rk
         call bury_snow(snow, pond)
         model%land%soil_temperature(first:last, :) = min(model%land%soil_temperature(first:last, :), freezing_point)
      else
         call sealed_water(dt, density_water*model%water_options%ponding_depth, surface_input, pond, moved)
         unmet = max(-surface_input, 0.0_rk) - moved%surface_evaporation
      end if
   end subroutine move_over_ground

   !> Fluxes where soil water is prescribed: the ground takes what arrives and gives what evaporates.
   pure subroutine keep_water(surface_input, moved)
      real(rk), intent(in) :: surface_input(w) !! [kg m-2 s-1]
      type(richards_flux_type), intent(out) :: moved
      moved%infiltration = surface_input
      moved%surface_runoff = 0.0_rk
      moved%drainage = 0.0_rk
      moved%surface_evaporation = max(-surface_input, 0.0_rk)
      moved%residual = 0.0_rk
      moved%substeps = 0.0_rk
      moved%iterations = 0.0_rk
   end subroutine keep_water

   !> Surface state, patches, and heat of snow and soil of one chunk.
   subroutine land_chunk(model, dt, chunk, source, weather, thickness, snow, head, water, ice, sums, snow_flux, root_uptake)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                      !! [s]
      integer, intent(in) :: chunk                    !! chunk index
      integer, intent(in) :: source(w)                !! column of each lane
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(in) :: head(w, model%nlayer)   !! [m]
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
                         model%land_parameters%soil_albedo_saturated(source, :), water(:, 1) + ice(:, 1), ground)
      select case (model%land_options%surface_kind)
      case (surface_glacier)
         call ice_humidity(weather, ground)
      case (surface_urban)
         call sealed_humidity(weather, model%water%surface_water(source, 1), &
                              density_water*model%water_options%ponding_depth, ground)
      case default
         call soil_surface_humidity(model%land_options, weather, surface, water(:, 1), ice(:, 1), head(:, 1), ground)
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
         call availability_of_water(model%nlayer, water, critical, wilting, availability)
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
            call availability_of_head(model%nlayer, head, model%land_parameters%psi_open(source, p), &
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

   !> Finish the fluxes and write the results of a chunk back.
   subroutine store(model, dt, chunk, source, weather, thickness, unmet_transpiration, unmet_evaporation, snow, snow_flux, &
                    sums, moved, head, water, ice, storage_before)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                     !! [s]
      integer, intent(in) :: chunk                   !! chunk index
      integer, intent(in) :: source(w)               !! column of each lane
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: thickness(w, model%nthermal) !! [m]
      real(rk), intent(in) :: unmet_transpiration(w) !! [kg m-2 s-1]
      real(rk), intent(in) :: unmet_evaporation(w)   !! [kg m-2 s-1]
      type(snow_chunk_type), intent(in) :: snow
      type(snow_flux_type), intent(in) :: snow_flux
      type(land_sums_type), intent(inout) :: sums
      type(richards_flux_type), intent(in) :: moved
      real(rk), intent(in) :: head(w, model%nlayer)  !! [m]
      real(rk), intent(in) :: water(w, model%nlayer) !! [m3 m-3]
      real(rk), intent(in) :: ice(w, model%nlayer)   !! [m3 m-3]
      real(rk), intent(in) :: storage_before(w)      !! [kg m-2]
      real(rk), dimension(w) :: latent, net_radiation, radiative, residual, above, soil, frozen, total, evaporated
      real(rk), dimension(w) :: table, growth_temperature
      real(rk) :: absorbed(w) ! water that prescribed soil water takes without change
      integer :: first, last, n
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      n = last - first + 1
      growth_temperature = model%land%growth_temperature(source, 1)
      call finish_land(dt, weather, unmet_transpiration, unmet_evaporation, snow_flux%unmet_sublimation, &
                       snow_flux%lost_heat, growth_temperature, sums, latent, net_radiation, radiative, residual)
      evaporated = sums%transpiration + sums%canopy_evaporation + sums%soil_evaporation + sums%sublimation
      absorbed = merge(0.0_rk, moved%infiltration - sums%transpiration, model%has_soil_water)
      call water_above(model, source, above)
      call chunk_storage(model%nlayer, thickness, model%derived%hydraulics(chunk), water, ice, head, above, soil, frozen, total)
      call water_table_depth(model%nlayer, thickness, head, table)
      model%land%growth_temperature(first:last, 1) = growth_temperature(:n)
      call store_snow_fluxes(model, first, n, snow, snow_flux, sums)
      associate (f => model%land_flux, q => model%water_flux)
         f%net_radiation(first:last, 1) = net_radiation(:n)
         f%shortwave_up(first:last, 1) = sums%shortwave_up(:n)
         f%longwave_up(first:last, 1) = sums%longwave_up(:n)
         f%latent_heat_flux(first:last, 1) = latent(:n)
         f%sensible_heat_flux(first:last, 1) = sums%sensible(:n)
         f%ground_heat_flux(first:last, 1) = sums%soil_heat_gain(:n) - sums%bottom_flux(:n)
         f%transpiration(first:last, 1) = sums%transpiration(:n)
         f%canopy_evaporation(first:last, 1) = sums%canopy_evaporation(:n)
         f%soil_evaporation(first:last, 1) = sums%soil_evaporation(:n)
         f%evapotranspiration(first:last, 1) = evaporated(:n)
         f%throughfall(first:last, 1) = sums%throughfall(:n) + sums%snow_throughfall(:n)
         f%gross_primary_production(first:last, 1) = sums%carbon(:n)
         f%radiative_temperature(first:last, 1) = radiative(:n)
         f%friction_velocity(first:last, 1) = sums%friction_velocity(:n)
         f%water_stress(first:last, 1) = sums%stress(:n)
         f%energy_balance_residual(first:last, 1) = residual(:n)
         q%infiltration(first:last, 1) = moved%infiltration(:n)
         q%surface_runoff(first:last, 1) = moved%surface_runoff(:n)
         q%subsurface_runoff(first:last, 1) = moved%drainage(:n)
         q%water_table_depth(first:last, 1) = table(:n)
         q%substeps(first:last, 1) = moved%substeps(:n)
         q%soil_water_total(first:last, 1) = soil(:n)
         q%soil_ice_total(first:last, 1) = frozen(:n)
         q%land_water(first:last, 1) = total(:n)
         q%water_balance_residual(first:last, 1) = &
            total(:n) - storage_before(:n) - dt*(weather%rainfall(:n) + weather%snowfall(:n) + sums%irrigation(:n) &
                                                 - evaporated(:n) &
                                                 - moved%surface_runoff(:n) - moved%drainage(:n) - absorbed(:n))
      end associate
      if (model%irrigation%is_on) model%irrigation%irrigation(first:last, 1) = sums%irrigation(:n)
   end subroutine store

   !> Snow and surface temperature of a chunk.
   subroutine store_snow_fluxes(model, first, n, snow, snow_flux, sums)
      type(column_model_type), intent(inout) :: model
      integer, intent(in) :: first !! first column
      integer, intent(in) :: n     !! valid lanes
      type(snow_chunk_type), intent(in) :: snow
      type(snow_flux_type), intent(in) :: snow_flux
      type(land_sums_type), intent(in) :: sums
      real(rk), dimension(w) :: mass, depth, surface
      integer :: k, last
      last = first + n - 1
      call snow_mass(snow, mass)
      depth = snow%cover*sum(snow%thickness(:, :snow%nsnow), 2)
      surface = snow%temperature(:, snow%nsnow)
      do k = snow%nsnow - 1, 1, -1
         surface = merge(snow%temperature(:, k), surface, k >= snow%top)
      end do
      associate (f => model%land_flux)
         f%snow_mass(first:last, 1) = mass(:n)
         f%snow_depth(first:last, 1) = depth(:n)
         f%snow_melt(first:last, 1) = snow_flux%melt(:n)
         f%snow_outflow(first:last, 1) = snow_flux%outflow(:n)
         f%ground_water_input(first:last, 1) = snow_flux%water_input(:n)
         f%snow_heat_flux(first:last, 1) = sums%snow_heat_gain(:n)
         f%sublimation(first:last, 1) = sums%sublimation(:n) + sums%canopy_sublimation(:n)
         f%heat_iterations(first:last, 1) = snow_flux%iterations(:n)
         f%ground_temperature(first:last, 1) = model%land%soil_temperature(first:last, 1) &
            + snow%cover(:n)*(surface(:n) - model%land%soil_temperature(first:last, 1))
      end associate
   end subroutine store_snow_fluxes

   !> A column as text.
   pure function number(column) result(text)
      integer, intent(in) :: column !! column index
      character(len=:), allocatable :: text
      character(len=12) :: buffer
      write (buffer, "(i0)") column
      text = trim(buffer)
   end function number

end module pl_column_step
