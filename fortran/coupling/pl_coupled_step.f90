!> The two phases of a land step over the distributed subsurface, with the movement of water between them.
!>
!> Explicit: the land asks with the water of the step's start, the subsurface moves water under what the land asks for and
!> brings, and what it could not give returns into the fluxes of the same step, its latent heat as sensible heat.
!> Iterated: the land phase is repeated from the same start, and asks with the water it found (pyland/coupling).
module pl_coupled_step
   use pl_carbon_step, only: carbon_none
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_column_carbon, only: check_carbon_closure, step_carbon
   use pl_column_land, only: land_phase
   use pl_column_model, only: column_model_type
   use pl_column_step, only: check_closure, check_step
   use pl_column_store, only: store_step
   use pl_column_water, only: water_above
   use pl_coupled_model, only: coupled_model_type
   use pl_error, only: error_type
   use pl_kinds, only: rk
   use pl_land_load, only: store_snow
   use pl_richards_column, only: richards_flux_type
   implicit none (type, external)
   private
   public :: begin_coupled_step, end_coupled_step

contains

   !> Land phase of all columns: what they ask of the subsurface and bring to it.
   subroutine begin_coupled_step(coupled, land, dt, error)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(inout) :: land
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error !! bad step or forcing
      integer :: chunk
      call check_step(land, dt, error)
      if (allocated(error)) return
      !$omp parallel do default(none) shared(coupled, land, dt) private(chunk) schedule(static)
      do chunk = 1, chunk_count(land%ncolumn)
         call begin_chunk(coupled, land, dt, chunk)
      end do
      !$omp end parallel do
   end subroutine begin_coupled_step

   !> Land phase of one chunk.
   subroutine begin_chunk(coupled, land, dt, chunk)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(inout) :: land
      real(rk), intent(in) :: dt       !! [s]
      integer, intent(in) :: chunk     !! chunk index
      real(rk), dimension(w, land%nlayer) :: head, ice, root_uptake, water
      real(rk) :: thickness(w, land%nthermal)
      integer :: first, i, last, n
      first = first_column(chunk)
      last = last_column(chunk, land%ncolumn)
      n = last - first + 1
      call load_chunk(chunk, land%nlayer, land%water%pressure_head, head)
      call load_chunk(chunk, land%nlayer, land%water%soil_water, water)
      call load_chunk(chunk, land%nlayer, land%land%soil_ice, ice)
      call load_chunk(chunk, land%nthermal, land%land_parameters%thickness, thickness)
      associate (work => coupled%work(chunk))
         do i = 1, w
            work%source(i) = lane_source(chunk, i, land%ncolumn)
         end do
         call water_above(land, work%source, work%storage_before)
         work%storage_before = work%storage_before - land%water%surface_water(work%source, 1)
         call land_phase(land, dt, chunk, thickness, head, water, ice, root_uptake, work)
         coupled%root_uptake(first:last, :) = root_uptake(:n, :)
         coupled%surface_input(first:last) = work%surface_input(:n)
         land%land%soil_ice(first:last, :) = ice(:n, :)
         call store_snow(work%snow, first, n, land%land)
      end associate
   end subroutine begin_chunk

   !> End of the step of all columns, with the water of its end.
   subroutine end_coupled_step(coupled, land, dt, error)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(inout) :: land
      real(rk), intent(in) :: dt                          !! time step [s]
      type(error_type), allocatable, intent(out) :: error !! open balance
      integer :: chunk
      !$omp parallel do default(none) shared(coupled, land, dt) private(chunk) schedule(static)
      do chunk = 1, chunk_count(land%ncolumn)
         call end_chunk(coupled, land, dt, chunk)
      end do
      !$omp end parallel do
      call check_closure(land, error)
      if (allocated(error)) return
      call check_carbon_closure(land, error)
   end subroutine end_coupled_step

   !> End of the step of one chunk.
   subroutine end_chunk(coupled, land, dt, chunk)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(inout) :: land
      real(rk), intent(in) :: dt       !! [s]
      integer, intent(in) :: chunk     !! chunk index
      type(richards_flux_type) :: moved
      real(rk), dimension(w, land%nlayer) :: head, ice, water
      real(rk) :: thickness(w, land%nthermal)
      call load_chunk(chunk, land%nlayer, land%water%pressure_head, head)
      call load_chunk(chunk, land%nlayer, land%water%soil_water, water)
      call load_chunk(chunk, land%nlayer, land%land%soil_ice, ice)
      call load_chunk(chunk, land%nthermal, land%land_parameters%thickness, thickness)
      associate (work => coupled%work(chunk))
         moved%infiltration = coupled%infiltration(work%source)
         moved%surface_runoff = coupled%surface_runoff(work%source)
         moved%drainage = 0.0_rk
         moved%surface_evaporation = 0.0_rk
         moved%residual = 0.0_rk
         moved%substeps = 0.0_rk
         moved%iterations = 0.0_rk
         call store_step(land, dt, chunk, work, thickness, coupled%unmet_transpiration(work%source), &
                         coupled%unmet_evaporation(work%source), moved, head, water, ice)
         if (land%carbon%scheme /= carbon_none) then
            call step_carbon(land, dt, chunk, work%source, work%weather%air_temperature, thickness, head)
         end if
      end associate
   end subroutine end_chunk

end module pl_coupled_step
