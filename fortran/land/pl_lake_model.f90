!> A set of lakes: fields, checks, and the step, chunk by chunk, threads over chunks.
module pl_lake_model
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_constants, only: density_ice, density_water, pi, stefan_boltzmann
   use pl_error, only: error_balance, error_input, error_state, error_type, raise_error
   use pl_field_table, only: field_table_type, role_flux, role_forcing, role_parameter, role_state
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_flux_type, lake_layers, snow_density
   use pl_lake_step, only: lake_step
   use pl_land_chunk, only: weather_chunk_type
   use pl_weather, only: derive_weather
   implicit none (type, external)
   private
   public :: check_lakes, create_lake_model, lake_model_step, lake_model_type

   real(rk), parameter :: energy_tolerance = 1.0e-6_rk !! largest energy residual of a step [W m-2]
   real(rk), parameter :: water_tolerance = 1.0e-9_rk  !! largest water residual of a step [kg m-2]
   real(rk), parameter :: longest_step = 86400.0_rk    !! [s]
   real(rk), parameter :: largest_heat = 5.0e8_rk      !! enthalpy of water by volume at 40 degC [J m-3]
   real(rk), parameter :: degree = pi/180.0_rk         !! [rad]

   !> State of the lakes.
   type :: lake_state_type
      real(rk), allocatable :: temperature(:, :) !! [K]
      real(rk), allocatable :: ice_fraction(:, :) !! share of the layer's mass that is frozen [1]
      real(rk), allocatable :: snow(:, :) !! on the ice [kg m-2]
      real(rk), allocatable :: surface_temperature(:, :) !! [K]
   end type lake_state_type

   !> Parameters of the lakes.
   type :: lake_parameter_type
      real(rk), allocatable :: thickness(:, :) !! as liquid water [m]
      real(rk), allocatable :: extinction(:, :) !! of visible light [m-1]
      real(rk), allocatable :: latitude(:, :) !! [degrees north]
      real(rk), allocatable :: reference_height(:, :) !! of the forcing above the surface [m]
   end type lake_parameter_type

   !> Forcing, mean over the step.
   type :: lake_forcing_type
      real(rk), allocatable :: air_temperature(:, :) !! [K]
      real(rk), allocatable :: specific_humidity(:, :) !! [kg kg-1]
      real(rk), allocatable :: surface_pressure(:, :) !! [Pa]
      real(rk), allocatable :: wind_speed(:, :) !! [m s-1]
      real(rk), allocatable :: rain(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: snowfall(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: shortwave_down(:, :) !! [W m-2]
      real(rk), allocatable :: longwave_down(:, :) !! [W m-2]
      real(rk), allocatable :: cosine_zenith(:, :) !! [1]
   end type lake_forcing_type

   !> Results of the last step, means over it.
   type :: lake_result_type
      real(rk), allocatable :: net_radiation(:, :) !! [W m-2]
      real(rk), allocatable :: shortwave_up(:, :) !! [W m-2]
      real(rk), allocatable :: longwave_up(:, :) !! [W m-2]
      real(rk), allocatable :: latent_heat_flux(:, :) !! [W m-2]
      real(rk), allocatable :: sensible_heat_flux(:, :) !! [W m-2]
      real(rk), allocatable :: ground_heat_flux(:, :) !! into the lake, its snow included [W m-2]
      real(rk), allocatable :: evapotranspiration(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: surface_runoff(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: ground_temperature(:, :) !! of the skin [K]
      real(rk), allocatable :: radiative_temperature(:, :) !! [K]
      real(rk), allocatable :: friction_velocity(:, :) !! [m s-1]
      real(rk), allocatable :: sublimation(:, :) !! part of the evapotranspiration from ice and snow [kg m-2 s-1]
      real(rk), allocatable :: snow_depth(:, :) !! [m]
      real(rk), allocatable :: snow_mass(:, :) !! on the ice [kg m-2]
      real(rk), allocatable :: snow_melt(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: land_water(:, :) !! snow: the water of the lake does not change [kg m-2]
      real(rk), allocatable :: lake_ice_thickness(:, :) !! [m]
      real(rk), allocatable :: energy_balance_residual(:, :) !! [W m-2]
      real(rk), allocatable :: water_balance_residual(:, :) !! [kg m-2 per step]
   end type lake_result_type

   !> One set of lakes.
   type :: lake_model_type
      integer :: ncolumn = 0                  !! lakes, members included [1]
      logical :: is_checked = .false.         !! the parameters were checked since they changed
      real(rk) :: stability_limit = 0.5_rk    !! largest zeta in stable air [1]
      type(field_table_type) :: table
      type(lake_state_type) :: state
      type(lake_parameter_type) :: parameters
      type(lake_forcing_type) :: forcing
      type(lake_result_type) :: flux
   end type lake_model_type

contains

   !> Allocate all fields with harmless values.
   subroutine create_lake_model(model, ncolumn, error)
      type(lake_model_type), target, intent(inout) :: model
      integer, intent(in) :: ncolumn                      !! lakes, members included [1]
      type(error_type), allocatable, intent(out) :: error !! no lake, not enough memory
      if (ncolumn < 1) then
         call raise_error(error, error_input, "a set of lakes needs at least one lake")
         return
      end if
      if (model%ncolumn > 0) then
         call raise_error(error, error_input, "these lakes exist already; create a new handle")
         return
      end if
      model%ncolumn = ncolumn
      model%table%ncolumn = ncolumn
      call create_state(model%table, model%state, error)
      if (allocated(error)) return
      call create_parameters(model%table, model%parameters, error)
      if (allocated(error)) return
      call create_forcing(model%table, model%forcing, error)
      if (allocated(error)) return
      call create_fluxes(model%table, model%flux, error)
   end subroutine create_lake_model

   subroutine create_state(table, state, error)
      type(field_table_type), intent(inout) :: table
      type(lake_state_type), target, intent(inout) :: state
      type(error_type), allocatable, intent(out) :: error
      call table%create(state%temperature, "lake_temperature", role_state, lake_layers, 277.0_rk, error)
      if (allocated(error)) return
      call table%create(state%ice_fraction, "lake_ice_fraction", role_state, lake_layers, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow, "lake_snow", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%surface_temperature, "lake_surface_temperature", role_state, 1, 277.0_rk, error)
   end subroutine create_state

   subroutine create_parameters(table, parameters, error)
      type(field_table_type), intent(inout) :: table
      type(lake_parameter_type), target, intent(inout) :: parameters
      type(error_type), allocatable, intent(out) :: error
      call table%create(parameters%thickness, "lake_layer_thickness", role_parameter, lake_layers, 1.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%extinction, "lake_extinction", role_parameter, 1, 0.5_rk, error)
      if (allocated(error)) return
      call table%create(parameters%latitude, "latitude", role_parameter, 1, 45.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%reference_height, "reference_height", role_parameter, 1, 10.0_rk, error)
   end subroutine create_parameters

   subroutine create_forcing(table, forcing, error)
      type(field_table_type), intent(inout) :: table
      type(lake_forcing_type), target, intent(inout) :: forcing
      type(error_type), allocatable, intent(out) :: error
      call table%create(forcing%air_temperature, "air_temperature", role_forcing, 1, 280.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%specific_humidity, "specific_humidity", role_forcing, 1, 0.005_rk, error)
      if (allocated(error)) return
      call table%create(forcing%surface_pressure, "surface_pressure", role_forcing, 1, 1.0e5_rk, error)
      if (allocated(error)) return
      call table%create(forcing%wind_speed, "wind_speed", role_forcing, 1, 3.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%rain, "rain", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%snowfall, "snowfall", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%shortwave_down, "shortwave_down", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%longwave_down, "longwave_down", role_forcing, 1, 300.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%cosine_zenith, "cosine_zenith", role_forcing, 1, 0.0_rk, error)
   end subroutine create_forcing

   subroutine create_fluxes(table, flux, error)
      type(field_table_type), intent(inout) :: table
      type(lake_result_type), target, intent(inout) :: flux
      type(error_type), allocatable, intent(out) :: error
      call table%create(flux%net_radiation, "net_radiation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%shortwave_up, "shortwave_up", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%longwave_up, "longwave_up", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%latent_heat_flux, "latent_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%sensible_heat_flux, "sensible_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%ground_heat_flux, "ground_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%evapotranspiration, "evapotranspiration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%surface_runoff, "surface_runoff", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%ground_temperature, "ground_temperature", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%radiative_temperature, "radiative_temperature", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%friction_velocity, "friction_velocity", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%sublimation, "sublimation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_depth, "snow_depth", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_mass, "snow_mass", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_melt, "snow_melt", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%land_water, "land_water", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%lake_ice_thickness, "lake_ice_thickness", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%energy_balance_residual, "energy_balance_residual", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%water_balance_residual, "water_balance_residual", role_flux, 1, 0.0_rk, error)
   end subroutine create_fluxes

   !> Parameters must be physical in every lake; the message names the first that is not.
   subroutine check_lakes(model, error)
      type(lake_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! parameters out of range
      character(len=:), allocatable :: name
      integer :: column
      model%is_checked = .false.
      call model%table%find_nonfinite(role_parameter, name, column)
      if (column > 0) then
         call raise_error(error, error_input, "parameter '"//name//"' is not a finite number in column "//number(column))
         return
      end if
      associate (p => model%parameters)
         call require("lake_layer_thickness", "above 0 m", all(p%thickness > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("lake_extinction", "above 0 m-1", all(p%extinction > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("latitude", "-90 to 90 degrees", all(abs(p%latitude) <= 90.0_rk, 2), error)
         if (allocated(error)) return
         call require("reference_height", "above 0 m", all(p%reference_height > 0.0_rk, 2), error)
         if (allocated(error)) return
      end associate
      model%is_checked = .true.
   end subroutine check_lakes

   !> Error unless a condition holds in every lake; NaN never holds.
   subroutine require(name, expected, is_right, error)
      character(len=*), intent(in) :: name      !! parameter or state
      character(len=*), intent(in) :: expected  !! what is right
      logical, intent(in) :: is_right(:)        !! per lake
      type(error_type), allocatable, intent(out) :: error
      if (all(is_right)) return
      call raise_error(error, error_input, "'"//name//"' is out of range in column "// &
                       number(findloc(is_right, .false., dim=1))//": expected "//expected)
   end subroutine require

   !> Advance all lakes.
   subroutine lake_model_step(model, dt, error)
      type(lake_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error !! bad step, state or forcing, open balance
      integer :: chunk, nchunk
      logical :: is_step
      if (.not. model%is_checked) then
         call raise_error(error, error_input, "parameters of the lakes changed; check them before the next step")
         return
      end if
      is_step = ieee_is_finite(dt)
      if (is_step) is_step = dt > 0.0_rk .and. dt <= longest_step
      if (.not. is_step) then
         call raise_error(error, error_input, "the time step must lie in (0, 86400] s")
         return
      end if
      call check_values(model, error)
      if (allocated(error)) return
      nchunk = chunk_count(model%ncolumn)
      !$omp parallel do default(none) shared(model, dt, nchunk) private(chunk) schedule(static)
      do chunk = 1, nchunk
         call step_chunk(model, dt, chunk)
      end do
      !$omp end parallel do
      call check_closure(model, dt, error)
   end subroutine lake_model_step

   !> State and forcing must be finite numbers, ice a share, snow not negative.
   subroutine check_values(model, error)
      type(lake_model_type), intent(in) :: model
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
         return
      end if
      call require("lake_ice_fraction", "0 to 1", all(model%state%ice_fraction >= 0.0_rk .and. &
                                                      model%state%ice_fraction <= 1.0_rk, 2), error)
      if (allocated(error)) return
      call require("lake_snow", "at least 0 kg m-2", all(model%state%snow >= 0.0_rk, 2), error)
   end subroutine check_values

   !> Residuals of all lakes must be within the tolerances; NaN never is.
   !>
   !> Enthalpies of deep lakes are large numbers: their rounding errors, four per layer, count too.
   subroutine check_closure(model, dt, error)
      type(lake_model_type), intent(in) :: model
      real(rk), intent(in) :: dt !! [s]
      type(error_type), allocatable, intent(out) :: error
      real(rk) :: limit(model%ncolumn)
      character(len=12) :: size_text
      integer :: column
      associate (energy => model%flux%energy_balance_residual(:, 1), water => model%flux%water_balance_residual(:, 1))
         limit = max(energy_tolerance, 4.0_rk*epsilon(dt)*largest_heat*sum(model%parameters%thickness, 2)/dt)
         if (.not. all(abs(energy) < limit)) then
            column = findloc(abs(energy) < limit, .false., dim=1)
            write (size_text, "(es10.2)") energy(column)
            call raise_error(error, error_balance, "energy of the lake does not close in column "//number(column)// &
                             ": residual"//trim(size_text)//" W m-2")
         else if (.not. all(abs(water) < water_tolerance)) then
            column = findloc(abs(water) < water_tolerance, .false., dim=1)
            write (size_text, "(es10.2)") water(column)
            call raise_error(error, error_balance, "water of the lake does not close in column "//number(column)// &
                             ": residual"//trim(size_text)//" kg m-2")
         end if
      end associate
   end subroutine check_closure

   !> Load a chunk, step it, store it.
   subroutine step_chunk(model, dt, chunk)
      type(lake_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt   !! [s]
      integer, intent(in) :: chunk !! chunk index
      type(weather_chunk_type) :: weather
      type(lake_chunk_type) :: lake
      type(lake_flux_type) :: flux
      integer :: i, source(w)
      do i = 1, w
         source(i) = lane_source(chunk, i, model%ncolumn)
      end do
      call load_weather(model%forcing, model%parameters, source, weather)
      call derive_weather(weather)
      call load_chunk(chunk, lake_layers, model%parameters%thickness, lake%thickness)
      call load_chunk(chunk, lake_layers, model%state%temperature, lake%temperature)
      call load_chunk(chunk, lake_layers, model%state%ice_fraction, lake%ice)
      lake%snow = model%state%snow(source, 1)
      lake%surface_temperature = model%state%surface_temperature(source, 1)
      lake%depth = sum(lake%thickness, 2)
      lake%extinction = model%parameters%extinction(source, 1)
      lake%rotation = abs(sin(degree*model%parameters%latitude(source, 1)))
      call lake_step(dt, model%stability_limit, weather, lake, flux)
      call store(model, first_column(chunk), last_column(chunk, model%ncolumn), weather, lake, flux)
   end subroutine step_chunk

   !> Forcing of a chunk.
   pure subroutine load_weather(forcing, parameters, source, weather)
      type(lake_forcing_type), intent(in) :: forcing
      type(lake_parameter_type), intent(in) :: parameters
      integer, intent(in) :: source(w) !! lake of each lane
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
      weather%reference_height = parameters%reference_height(source, 1)
   end subroutine load_weather

   !> Write state and results of a chunk back.
   subroutine store(model, first, last, weather, lake, flux)
      type(lake_model_type), intent(inout) :: model
      integer, intent(in) :: first, last !! lakes of the chunk
      type(weather_chunk_type), intent(in) :: weather
      type(lake_chunk_type), intent(in) :: lake
      type(lake_flux_type), intent(in) :: flux
      real(rk), dimension(w) :: ice, net, radiative
      integer :: n
      n = last - first + 1
      net = weather%shortwave_down - flux%shortwave_up + weather%longwave_down - flux%longwave_up
      radiative = sqrt(sqrt(flux%longwave_up/stefan_boltzmann))
      ice = density_water/density_ice*sum(lake%ice*lake%thickness, 2)
      associate (s => model%state, f => model%flux)
         s%temperature(first:last, :) = lake%temperature(:n, :)
         s%ice_fraction(first:last, :) = lake%ice(:n, :)
         s%snow(first:last, 1) = lake%snow(:n)
         s%surface_temperature(first:last, 1) = lake%surface_temperature(:n)
         f%net_radiation(first:last, 1) = net(:n)
         f%shortwave_up(first:last, 1) = flux%shortwave_up(:n)
         f%longwave_up(first:last, 1) = flux%longwave_up(:n)
         f%latent_heat_flux(first:last, 1) = flux%latent(:n)
         f%sensible_heat_flux(first:last, 1) = flux%sensible(:n)
         f%ground_heat_flux(first:last, 1) = flux%heat_gain(:n)
         f%evapotranspiration(first:last, 1) = flux%evaporation(:n)
         f%surface_runoff(first:last, 1) = flux%runoff(:n)
         f%ground_temperature(first:last, 1) = lake%surface_temperature(:n)
         f%radiative_temperature(first:last, 1) = radiative(:n)
         f%friction_velocity(first:last, 1) = flux%friction_velocity(:n)
         f%sublimation(first:last, 1) = flux%sublimation(:n)
         f%snow_depth(first:last, 1) = lake%snow(:n)/snow_density
         f%snow_mass(first:last, 1) = lake%snow(:n)
         f%snow_melt(first:last, 1) = flux%snow_melt(:n)
         f%land_water(first:last, 1) = lake%snow(:n)
         f%lake_ice_thickness(first:last, 1) = ice(:n)
         f%energy_balance_residual(first:last, 1) = flux%energy_residual(:n)
         f%water_balance_residual(first:last, 1) = flux%water_residual(:n)
      end associate
   end subroutine store

   !> A lake as text.
   pure function number(column) result(text)
      integer, intent(in) :: column !! column index
      character(len=:), allocatable :: text
      character(len=12) :: buffer
      write (buffer, "(i0)") column
      text = trim(buffer)
   end function number

end module pl_lake_model
