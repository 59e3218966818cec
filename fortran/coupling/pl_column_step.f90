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
   use pl_column_carbon, only: check_carbon_closure, step_carbon
   use pl_column_land, only: land_phase
   use pl_column_model, only: column_model_type
   use pl_column_store, only: store_step
   use pl_column_water, only: chunk_storage, require_prepared, water_above
   use pl_column_work, only: column_work_type
   use pl_constants, only: density_water, freezing_point
   use pl_error, only: error_balance, error_convergence, error_input, error_state, error_type, raise_error
   use pl_frozen_soil, only: create_frozen_soil, follow_ice, freeze_hydraulics
   use pl_ground_kind_water, only: bury_snow, glacier_water, sealed_water
   use pl_field_table, only: role_forcing, role_state
   use pl_kinds, only: rk
   use pl_land_chunk, only: surface_glacier, surface_soil
   use pl_land_load, only: store_snow
   use pl_richards_column, only: richards_column_step, richards_flux_type
   use pl_snow_chunk, only: snow_chunk_type
   use pl_soil_hydraulics, only: soil_hydraulics_type
   implicit none (type, external)
   private
   public :: check_closure, check_finite, check_step, column_model_step

   real(rk), parameter :: energy_tolerance = 1.0e-6_rk !! largest energy residual of a step [W m-2]
   real(rk), parameter :: water_tolerance = 1.0e-9_rk  !! largest water residual of a step [kg m-2]
   real(rk), parameter :: longest_step = 86400.0_rk    !! [s]

contains

   !> Advance all columns.
   subroutine column_model_step(model, dt, error)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error !! bad step or forcing, no convergence, open balance
      type(error_type), allocatable :: problem
      integer :: chunk, failed, nchunk
      call check_step(model, dt, error)
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

   !> Parameters must be prepared, the step in range, state and forcing finite.
   subroutine check_step(model, dt, error)
      type(column_model_type), intent(in) :: model
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error
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
   end subroutine check_step

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
      type(column_work_type) :: work
      type(richards_flux_type) :: moved
      real(rk), dimension(w, model%nlayer) :: root_uptake, taken, head, water, ice
      real(rk) :: thickness(w, model%nthermal)
      real(rk), dimension(w) :: pond, above, soil, frozen, unmet_transpiration, unmet_evaporation
      integer :: first, i, last, n, nlayer
      nlayer = model%nlayer
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      n = last - first + 1
      do i = 1, w
         work%source(i) = lane_source(chunk, i, model%ncolumn)
      end do
      call load_chunk(chunk, nlayer, model%water%pressure_head, head)
      call load_chunk(chunk, nlayer, model%water%soil_water, water)
      call load_chunk(chunk, nlayer, model%land%soil_ice, ice)
      call load_chunk(chunk, model%nthermal, model%land_parameters%thickness, thickness)
      pond = model%water%surface_water(work%source, 1)
      call water_above(model, work%source, above)
      call chunk_storage(nlayer, thickness, model%derived%hydraulics(chunk), water, ice, head, above, soil, frozen, &
                         work%storage_before)
      call land_phase(model, dt, chunk, thickness, head, water, ice, root_uptake, work)
      if (model%land_options%surface_kind /= surface_soil) then
         call move_over_ground(model, dt, chunk, thickness, work%surface_input, work%sums%soil_evaporation, work%snow, water, &
                               ice, pond, moved, unmet_evaporation)
         unmet_transpiration = 0.0_rk
      else if (model%has_soil_water) then
         call move_water(model, dt, chunk, thickness, work%surface_input, root_uptake, ice, head, water, pond, taken, moved, &
                         error)
         if (allocated(error)) return
         unmet_transpiration = sum(root_uptake - taken, 2)
         unmet_evaporation = max(-work%surface_input, 0.0_rk) - moved%surface_evaporation
      else
         call keep_water(work%surface_input, moved)
         unmet_transpiration = 0.0_rk
         unmet_evaporation = 0.0_rk
      end if
      model%water%pressure_head(first:last, :) = head(:n, :)
      model%water%soil_water(first:last, :) = water(:n, :)
      model%water%surface_water(first:last, 1) = pond(:n)
      model%land%soil_ice(first:last, :) = ice(:n, :)
      call store_snow(work%snow, first, n, model%land)
      call store_step(model, dt, chunk, work, thickness, unmet_transpiration, unmet_evaporation, moved, head, water, ice)
      if (model%carbon%scheme /= carbon_none) then
         call step_carbon(model, dt, chunk, work%source, work%weather%air_temperature, thickness, head)
      end if
   end subroutine step_chunk

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

   !> A column as text.
   pure function number(column) result(text)
      integer, intent(in) :: column !! column index
      character(len=:), allocatable :: text
      character(len=12) :: buffer
      write (buffer, "(i0)") column
      text = trim(buffer)
   end function number

end module pl_column_step
