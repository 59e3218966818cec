!> Facade: canopy, bare ground, leaf and root processes for any number of columns.
!>
!> A table has one row per column and one member of a chunk type per table column, in the order that the
!> loaders below show; pyland/core/canopy.py names them.
module pl_api_canopy
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_bare_ground_fluxes, only: bare_ground_fluxes
   use pl_canopy_fluxes, only: canopy_fluxes
   use pl_chunk, only: chunk_count, lane_source, w => chunk_width
   use pl_constants, only: dry_adiabatic_lapse, gas_constant, gas_dry_air
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_ground_surface, only: bare_of_snow
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, flux_chunk_type, ground_chunk_type, land_options_type, &
                            plant_chunk_type, radiation_chunk_type, stomata_ball_berry, stomata_medlyn, &
                            weather_chunk_type
   use pl_moist_air, only: saturation_pressure, vapour_pressure
   use pl_monin_obukhov, only: stability_profiles
   use pl_photosynthesis, only: acclimate, acclimation_type, leaf_air_type, leaf_photosynthesis, leaf_rate_type
   use pl_root_uptake, only: root_distribution, water_stress
   implicit none (type, external)
   private
   public :: canopy_bare_ground, canopy_exchange, canopy_leaf, canopy_profiles, canopy_roots, canopy_stress

   integer, parameter :: nweather = 7, nplant = 14, nground = 6, nradiation = 7, nstate = 4, nflux = 17
   integer, parameter :: nleaf = 13, nleaf_result = 7, nprofile = 5, nprofile_result = 2

contains

   !> Stability profiles (pl_monin_obukhov).
   subroutine canopy_profiles(input, output, ierr, errmsg)
      real(rk), intent(in) :: input(:, :)     !! zeta, ln(z/z0m), ln(z/z0h), z0m/z, z0h/z [1]
      real(rk), intent(inout) :: output(:, :) !! profiles of momentum and of scalars [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      real(rk) :: lanes(w, nprofile), momentum(w), scalar(w)
      integer :: source(w), chunk, first, last
      call check_table("input", input, size(output, 1), nprofile, error)
      if (.not. allocated(error)) call check_shape("output", output, size(input, 1), nprofile_result, error)
      if (.not. allocated(error)) then
         do chunk = 1, chunk_count(size(input, 1))
            call lanes_of(chunk, size(input, 1), source, first, last)
            lanes = input(source, :)
            call stability_profiles(lanes(:, 1), lanes(:, 2), lanes(:, 3), lanes(:, 4), lanes(:, 5), momentum, scalar)
            output(first:last, 1) = momentum(:last - first + 1)
            output(first:last, 2) = scalar(:last - first + 1)
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_profiles

   !> One class of leaves (pl_photosynthesis).
   subroutine canopy_leaf(stomata, input, output, ierr, errmsg)
      integer, intent(in) :: stomata          !! stomatal conductance scheme
      real(rk), intent(in) :: input(:, :)     !! see `load_leaf`
      real(rk), intent(inout) :: output(:, :) !! net, gross, respiration, resistance, c_i, conductance, converged
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(leaf_air_type) :: air
      type(leaf_rate_type) :: leaf
      type(acclimation_type) :: acclimation
      real(rk) :: lanes(w, nleaf), resistance(w)
      logical :: converged(w)
      integer :: source(w), chunk, first, last, n
      call check_scheme(stomata, error)
      if (.not. allocated(error)) call check_table("input", input, size(output, 1), nleaf, error)
      if (.not. allocated(error)) call check_shape("output", output, size(input, 1), nleaf_result, error)
      if (.not. allocated(error)) then
         do chunk = 1, chunk_count(size(input, 1))
            call lanes_of(chunk, size(input, 1), source, first, last)
            n = last - first + 1
            lanes = input(source, :)
            call load_leaf(lanes, air)
            call acclimate(lanes(:, 7), acclimation)
            call leaf_photosynthesis(stomata, air, lanes(:, 1), lanes(:, 13), lanes(:, 8), acclimation, lanes(:, &
                                     3), lanes(:, 2), leaf, resistance, converged)
            output(first:last, 1) = leaf%gross(:n) - leaf%respiration(:n)
            output(first:last, 2) = leaf%gross(:n)
            output(first:last, 3) = leaf%respiration(:n)
            output(first:last, 4) = resistance(:n)
            output(first:last, 5) = leaf%internal_co2(:n)
            output(first:last, 6) = leaf%conductance(:n)
            output(first:last, 7) = merge(1.0_rk, 0.0_rk, converged(:n))
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_leaf

   !> Canopy and the ground below it (pl_canopy_fluxes).
   subroutine canopy_exchange(dt, stomata, stability_limit, weather, plant, ground, radiation, canopy, flux, ierr, &
                              errmsg)
      real(rk), intent(in) :: dt                 !! time step [s]
      integer, intent(in) :: stomata             !! stomatal conductance scheme
      real(rk), intent(in) :: stability_limit    !! largest zeta [1]
      real(rk), intent(in) :: weather(:, :)      !! see `load_weather`
      real(rk), intent(in) :: plant(:, :)        !! see `load_plant`
      real(rk), intent(in) :: ground(:, :)       !! see `load_ground`
      real(rk), intent(in) :: radiation(:, :)    !! see `load_radiation`
      real(rk), intent(inout) :: canopy(:, :)    !! leaf temperature, canopy water, wet fraction, dry fraction
      real(rk), intent(inout) :: flux(:, :)      !! see `store_flux`
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(land_options_type) :: options
      type(weather_chunk_type) :: air
      type(plant_chunk_type) :: leaves
      type(ground_chunk_type) :: soil
      type(radiation_chunk_type) :: light
      type(canopy_state_type) :: state
      type(flux_chunk_type) :: result
      logical :: converged(w)
      integer :: source(w), chunk, first, last, n
      n = size(weather, 1)
      call check_scheme(stomata, error)
      if (.not. allocated(error)) call check_table("weather", weather, n, nweather, error)
      if (.not. allocated(error)) call check_table("plant", plant, n, nplant, error)
      if (.not. allocated(error)) call check_table("ground", ground, n, nground, error)
      if (.not. allocated(error)) call check_table("radiation", radiation, n, nradiation, error)
      if (.not. allocated(error)) call check_table("canopy", canopy, n, nstate, error)
      if (.not. allocated(error)) call check_shape("flux", flux, n, nflux, error)
      if (.not. allocated(error)) then
         options%stomata = stomata
         options%stability_limit = stability_limit
         do chunk = 1, chunk_count(n)
            call lanes_of(chunk, n, source, first, last)
            call load_weather(weather, source, air)
            call load_plant(plant, source, leaves)
            call load_ground(ground, source, soil)
            call load_radiation(radiation, source, light)
            state%leaf_temperature = canopy(source, 1)
            state%canopy_water = canopy(source, 2)
            state%canopy_snow = 0.0_rk
            call canopy_fluxes(dt, options, air, leaves, soil, light, canopy(source, 3), canopy(source, 4), state, &
                               result, converged)
            canopy(first:last, 1) = state%leaf_temperature(:last - first + 1)
            call store_flux(result, converged, first, last, flux)
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_exchange

   !> Ground without canopy (pl_bare_ground_fluxes).
   subroutine canopy_bare_ground(stability_limit, weather, ground, flux, ierr, errmsg)
      real(rk), intent(in) :: stability_limit !! largest zeta [1]
      real(rk), intent(in) :: weather(:, :)   !! see `load_weather`
      real(rk), intent(in) :: ground(:, :)    !! see `load_ground`
      real(rk), intent(inout) :: flux(:, :)   !! see `store_flux`
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(land_options_type) :: options
      type(weather_chunk_type) :: air
      type(plant_chunk_type) :: leaves
      type(ground_chunk_type) :: soil
      type(flux_chunk_type) :: result
      logical :: converged(w)
      integer :: source(w), chunk, first, last, n
      n = size(weather, 1)
      call check_table("weather", weather, n, nweather, error)
      if (.not. allocated(error)) call check_table("ground", ground, n, nground, error)
      if (.not. allocated(error)) call check_shape("flux", flux, n, nflux, error)
      if (.not. allocated(error)) then
         options%stability_limit = stability_limit
         leaves%fraction = 1.0_rk
         leaves%leaf_area = 0.0_rk
         leaves%stem_area = 0.0_rk
         converged = .true.
         do chunk = 1, chunk_count(n)
            call lanes_of(chunk, n, source, first, last)
            call load_weather(weather, source, air)
            call load_ground(ground, source, soil)
            call bare_ground_fluxes(options, air, leaves, soil, result)
            call store_flux(result, converged, first, last, flux)
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_bare_ground

   !> Water stress and shares of the layers in the uptake (pl_root_uptake).
   subroutine canopy_stress(root_fraction, pressure_head, soil_temperature, limits, stress, uptake_share, ierr, &
                            errmsg)
      real(rk), intent(in) :: root_fraction(:, :)    !! [1]
      real(rk), intent(in) :: pressure_head(:, :)    !! [m]
      real(rk), intent(in) :: soil_temperature(:, :) !! [K]
      real(rk), intent(in) :: limits(:, :)           !! pressure heads of open and of closed stomata [m]
      real(rk), intent(inout) :: stress(:, :)        !! [1]
      real(rk), intent(inout) :: uptake_share(:, :)  !! [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      real(rk) :: beta(w), share(w, size(root_fraction, 2)), levels(w, 2)
      integer :: source(w), chunk, first, last, n, nlayer
      n = size(root_fraction, 1)
      nlayer = size(root_fraction, 2)
      call check_table("root_fraction", root_fraction, n, nlayer, error)
      if (.not. allocated(error)) call check_table("pressure_head", pressure_head, n, nlayer, error)
      if (.not. allocated(error)) call check_table("soil_temperature", soil_temperature, n, nlayer, error)
      if (.not. allocated(error)) call check_table("limits", limits, n, 2, error)
      if (.not. allocated(error)) call check_shape("stress", stress, n, 1, error)
      if (.not. allocated(error)) call check_shape("uptake_share", uptake_share, n, nlayer, error)
      if (.not. allocated(error)) then
         if (any(limits(:, 1) <= limits(:, 2))) then
            call raise_error(error, error_input, "water stress: psi_open must be above psi_closed in every column")
         end if
      end if
      if (.not. allocated(error)) then
         do chunk = 1, chunk_count(n)
            call lanes_of(chunk, n, source, first, last)
            levels = limits(source, :)
            call water_stress(nlayer, root_fraction(source, :), pressure_head(source, :), soil_temperature(source, &
                              :), levels(:, 1), levels(:, 2), beta, share)
            stress(first:last, 1) = beta(:last - first + 1)
            uptake_share(first:last, :) = share(:last - first + 1, :)
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_stress

   !> Distribution of roots over the layers (pl_root_uptake).
   subroutine canopy_roots(beta, interfaces, fraction, ierr, errmsg)
      real(rk), intent(in) :: beta              !! extinction per centimetre [1]
      real(rk), intent(in) :: interfaces(:)     !! depths, 0 first, increasing [m]
      real(rk), intent(inout) :: fraction(:)    !! share of each layer [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: n
      n = size(fraction)
      if (.not. (beta > 0.0_rk .and. beta < 1.0_rk)) then
         call raise_error(error, error_input, "root distribution: beta must lie inside (0, 1)")
      else if (n < 1 .or. size(interfaces) /= n + 1) then
         call raise_error(error, error_input, "root distribution: give one interface more than there are layers")
      else if (.not. (interfaces(1) >= 0.0_rk .and. all(interfaces(2:) > interfaces(:n)))) then
         call raise_error(error, error_input, "root distribution: interfaces must be depths that increase")
      else
         fraction = root_distribution(beta, interfaces)
      end if
      call report(error, ierr, errmsg)
   end subroutine canopy_roots

   !> Columns of the lanes of a chunk, and the columns that it stores.
   pure subroutine lanes_of(chunk, ncolumn, source, first, last)
      integer, intent(in) :: chunk      !! chunk index, from 1
      integer, intent(in) :: ncolumn    !! number of columns [1]
      integer, intent(out) :: source(w) !! column of each lane
      integer, intent(out) :: first     !! first column
      integer, intent(out) :: last      !! last column
      integer :: lane
      do lane = 1, w
         source(lane) = lane_source(chunk, lane, ncolumn)
      end do
      first = source(1)
      last = source(w)
   end subroutine lanes_of

   !> Error unless the scheme exists.
   pure subroutine check_scheme(stomata, error)
      integer, intent(in) :: stomata !! stomatal conductance scheme
      type(error_type), allocatable, intent(out) :: error
      if (stomata /= stomata_ball_berry .and. stomata /= stomata_medlyn) then
         call raise_error(error, error_input, "stomata: the scheme must be 1 (Ball-Berry) or 2 (Medlyn)")
      end if
   end subroutine check_scheme

   !> Error unless a table has this shape.
   pure subroutine check_shape(name, table, nrow, ncolumn, error)
      character(len=*), intent(in) :: name  !! name of the table
      real(rk), intent(in) :: table(:, :)   !! any unit
      integer, intent(in) :: nrow           !! expected first extent [1]
      integer, intent(in) :: ncolumn        !! expected second extent [1]
      type(error_type), allocatable, intent(out) :: error
      character(len=120) :: text
      if (size(table, 1) /= nrow .or. size(table, 2) /= ncolumn) then
         write (text, "(4(a, i0), a)") ": expected shape (", nrow, ", ", ncolumn, "), got (", size(table, 1), ", ", &
            size(table, 2), ")"
         call raise_error(error, error_input, name//trim(text))
      end if
   end subroutine check_shape

   !> Error unless a table has this shape and finite numbers.
   pure subroutine check_table(name, table, nrow, ncolumn, error)
      character(len=*), intent(in) :: name  !! name of the table
      real(rk), intent(in) :: table(:, :)   !! any unit
      integer, intent(in) :: nrow           !! expected first extent [1]
      integer, intent(in) :: ncolumn        !! expected second extent [1]
      type(error_type), allocatable, intent(out) :: error
      character(len=80) :: text
      integer :: i, k
      call check_shape(name, table, nrow, ncolumn, error)
      if (allocated(error)) return
      do k = 1, ncolumn
         do i = 1, nrow
            if (ieee_is_finite(table(i, k))) cycle
            write (text, "(2(a, i0), a)") ": not a finite number in row ", i, ", column ", k, " (counted from 1)"
            call raise_error(error, error_input, name//trim(text))
            return
         end do
      end do
   end subroutine check_table

   !> Air around the leaves.
   pure subroutine load_leaf(lanes, air)
      real(rk), intent(in) :: lanes(w, nleaf) !! members of a leaf table
      type(leaf_air_type), intent(out) :: air
      real(rk) :: saturation, slope
      integer :: i
      do i = 1, w
         call saturation_pressure(lanes(i, 1), saturation, slope)
         air%is_c4(i) = lanes(i, 4)
         air%slope(i) = lanes(i, 5)
         air%intercept(i) = lanes(i, 6)
         air%deficit(i) = 1.0e-3_rk*(saturation - lanes(i, 9))
         air%relative_humidity(i) = lanes(i, 9)/saturation
         air%co2(i) = lanes(i, 11)
         air%pressure(i) = lanes(i, 12)
         air%boundary_conductance(i) = 1.0e6_rk*lanes(i, 12)/(gas_constant*lanes(i, 13)*lanes(i, 10))
      end do
   end subroutine load_leaf

   !> Weather of a chunk; what the kernels want of moist air is derived here.
   pure subroutine load_weather(table, source, weather)
      real(rk), intent(in) :: table(:, :) !! members in the order below
      integer, intent(in) :: source(w)    !! column of each lane
      type(weather_chunk_type), intent(out) :: weather
      weather%air_temperature = table(source, 1)
      weather%specific_humidity = table(source, 2)
      weather%air_pressure = table(source, 3)
      weather%wind_speed = table(source, 4)
      weather%longwave_down = table(source, 5)
      weather%co2 = table(source, 6)
      weather%reference_height = table(source, 7)
      weather%vapour_pressure = vapour_pressure(weather%specific_humidity, weather%air_pressure)
      weather%air_density = (weather%air_pressure - 0.378_rk*weather%vapour_pressure) &
                            /(gas_dry_air*weather%air_temperature)
      weather%potential_temperature = weather%air_temperature + dry_adiabatic_lapse*weather%reference_height
   end subroutine load_weather

   !> Plants of a chunk.
   pure subroutine load_plant(table, source, plant)
      real(rk), intent(in) :: table(:, :) !! members in the order below
      integer, intent(in) :: source(w)    !! column of each lane
      type(plant_chunk_type), intent(out) :: plant
      plant%fraction = table(source, 1)
      plant%leaf_area = table(source, 2)
      plant%stem_area = table(source, 3)
      plant%canopy_top = table(source, 4)
      plant%roughness_ratio = table(source, 5)
      plant%displacement_ratio = table(source, 6)
      plant%leaf_dimension = table(source, 7)
      plant%vcmax25_top = table(source, 8)
      plant%is_c4 = table(source, 9)
      plant%stomatal_slope = table(source, 10)
      plant%stomatal_intercept = table(source, 11)
      plant%growth_temperature = table(source, 12)
      plant%daylength_factor = table(source, 13)
      plant%water_stress = table(source, 14)
   end subroutine load_plant

   !> Ground of a chunk.
   pure subroutine load_ground(table, source, ground)
      real(rk), intent(in) :: table(:, :) !! members in the order below
      integer, intent(in) :: source(w)    !! column of each lane
      type(ground_chunk_type), intent(out) :: ground
      ground%temperature = table(source, 1)
      ground%emissivity = table(source, 2)
      ground%roughness = table(source, 3)
      ground%humidity = table(source, 4)
      ground%humidity_slope = table(source, 5)
      ground%resistance = table(source, 6)
      ground%evaporation_factor = 1.0_rk
      call bare_of_snow(ground)
   end subroutine load_ground

   !> Absorbed light of a chunk.
   pure subroutine load_radiation(table, source, radiation)
      real(rk), intent(in) :: table(:, :) !! members in the order below
      integer, intent(in) :: source(w)    !! column of each lane
      type(radiation_chunk_type), intent(out) :: radiation
      radiation%canopy_absorbed = table(source, 1)
      radiation%sunlit_leaf_area = table(source, 2)
      radiation%shaded_leaf_area = table(source, 3)
      radiation%sunlit_par = table(source, 4)
      radiation%shaded_par = table(source, 5)
      radiation%extinction = table(source, 6)
      radiation%canopy_emissivity = table(source, 7)
   end subroutine load_radiation

   !> Write the fluxes of a chunk.
   pure subroutine store_flux(result, converged, first, last, flux)
      type(flux_chunk_type), intent(in) :: result
      logical, intent(in) :: converged(w)   !! within the tolerances
      integer, intent(in) :: first          !! first column
      integer, intent(in) :: last           !! last column
      real(rk), intent(inout) :: flux(:, :) !! members in the order below
      integer :: n
      n = last - first + 1
      flux(first:last, 1) = result%sensible_canopy(:n)
      flux(first:last, 2) = result%sensible_ground(:n)
      flux(first:last, 3) = result%sensible_ground_slope(:n)
      flux(first:last, 4) = result%transpiration(:n)
      flux(first:last, 5) = result%canopy_evaporation(:n)
      flux(first:last, 6) = result%ground_evaporation(:n)
      flux(first:last, 7) = result%ground_evaporation_slope(:n)
      flux(first:last, 8) = result%longwave_ground(:n)
      flux(first:last, 9) = result%longwave_ground_slope(:n)
      flux(first:last, 10) = result%longwave_canopy(:n)
      flux(first:last, 11) = result%longwave_up(:n)
      flux(first:last, 12) = result%friction_velocity(:n)
      flux(first:last, 13) = result%gross_photosynthesis(:n)
      flux(first:last, 14) = result%leaf_respiration(:n)
      flux(first:last, 15) = result%canopy_conductance(:n)
      flux(first:last, 16) = result%iterations(:n)
      flux(first:last, 17) = merge(1.0_rk, 0.0_rk, converged(:n))
   end subroutine store_flux

end module pl_api_canopy
