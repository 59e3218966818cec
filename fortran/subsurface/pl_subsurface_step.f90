!> Soil water of many columns on its own, without a land model: chunks, threads, and the functions of the soil.
!>
!> Soil parameters come as one array (ncolumn, nlayer, 6): porosity, residual_water, retention_scale, retention_shape,
!> saturated_conductivity, specific_storage; fluxes leave as (ncolumn, 7): infiltration, surface_runoff, drainage,
!> surface_evaporation, residual, substeps, iterations (pl_richards_column, richards_flux_type).
module pl_subsurface_step
   use pl_chunk, only: chunk_count, lane_source, w => chunk_width
   use pl_error, only: error_type
   use pl_kinds, only: rk
   use pl_richards_column, only: column_water, richards_column_step, richards_flux_type, richards_options_type
   use pl_soil_hydraulics, only: create_soil_hydraulics, head_from_water, prepare_soil_hydraulics, reconcile_head, &
                                 soil_hydraulics_type, water_from_head
   use pl_water_table, only: water_table_depth
   implicit none (type, external)
   private
   public :: convert_soil_water, diagnose_columns, subsurface_step
   public :: convert_reconcile, convert_to_head, convert_to_water
   public :: nflux, nsoil

   integer, parameter :: nsoil = 6 !! soil parameters per layer
   integer, parameter :: nflux = 7 !! fluxes per column
   integer, parameter :: convert_to_head = 1   !! head from water
   integer, parameter :: convert_to_water = 2  !! water from head
   integer, parameter :: convert_reconcile = 3 !! head made consistent with water

contains

   !> Advance all columns by `dt`; on an error the state is that of the failure.
   subroutine subsurface_step(dt, retention, air_entry, air_dry_head, options, thickness, soil, surface_input, &
      sink, pressure_head, &
                              soil_water, surface_water, actual_sink, flux, error)
      real(rk), intent(in) :: dt                      !! step [s]
      integer, intent(in) :: retention                !! pl_soil_hydraulics: retention_*
      real(rk), intent(in) :: air_entry               !! air-entry head of van Genuchten soils with small n [m]
      real(rk), intent(in) :: air_dry_head            !! where sinks find no water [m]
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: thickness(:, :)         !! (ncolumn, nlayer) [m]
      real(rk), intent(in) :: soil(:, :, :)           !! (ncolumn, nlayer, nsoil)
      real(rk), intent(in) :: surface_input(:)        !! [kg m-2 s-1]
      real(rk), intent(in) :: sink(:, :)              !! (ncolumn, nlayer) [kg m-2 s-1]
      real(rk), intent(inout) :: pressure_head(:, :)  !! [m]
      real(rk), intent(inout) :: soil_water(:, :)     !! [m3 m-3]
      real(rk), intent(inout) :: surface_water(:)     !! [kg m-2]
      real(rk), intent(inout) :: actual_sink(:, :)    !! [kg m-2 s-1]
      real(rk), intent(inout) :: flux(:, :)           !! (ncolumn, nflux)
      type(error_type), allocatable, intent(out) :: error
      type(error_type), allocatable :: problem
      integer :: chunk, failed
      failed = chunk_count(size(thickness, 1)) + 1
      !$omp parallel do default(none) schedule(static) private(chunk, problem) &
      !$omp shared(dt, retention, air_entry, air_dry_head, options, thickness, soil, surface_input, sink, &
      !$omp        pressure_head, soil_water, &
      !$omp        surface_water, actual_sink, flux, error, failed)
      do chunk = 1, chunk_count(size(thickness, 1))
         call step_chunk(chunk, dt, retention, air_entry, air_dry_head, options, thickness, soil, surface_input, &
            sink, pressure_head, &
                         soil_water, surface_water, actual_sink, flux, problem)
         if (allocated(problem)) then
            !$omp critical (subsurface_error)
            if (chunk < failed) then
               failed = chunk
               error = problem
            end if
            !$omp end critical (subsurface_error)
         end if
      end do
      !$omp end parallel do
   end subroutine subsurface_step

   !> One chunk: load, advance, store.
   subroutine step_chunk(chunk, dt, retention, air_entry, air_dry_head, options, thickness, soil, surface_input, &
      sink, pressure_head, &
                         soil_water, surface_water, actual_sink, flux, error)
      integer, intent(in) :: chunk                    !! chunk index [1]
      real(rk), intent(in) :: dt                      !! step [s]
      integer, intent(in) :: retention
      real(rk), intent(in) :: air_entry               !! [m]
      real(rk), intent(in) :: air_dry_head            !! where sinks find no water [m]
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: thickness(:, :)         !! [m]
      real(rk), intent(in) :: soil(:, :, :)
      real(rk), intent(in) :: surface_input(:)        !! [kg m-2 s-1]
      real(rk), intent(in) :: sink(:, :)              !! [kg m-2 s-1]
      real(rk), intent(inout) :: pressure_head(:, :)  !! [m]
      real(rk), intent(inout) :: soil_water(:, :)     !! [m3 m-3]
      real(rk), intent(inout) :: surface_water(:)     !! [kg m-2]
      real(rk), intent(inout) :: actual_sink(:, :)    !! [kg m-2 s-1]
      real(rk), intent(inout) :: flux(:, :)
      type(error_type), allocatable, intent(out) :: error
      type(soil_hydraulics_type) :: hydraulics
      type(richards_flux_type) :: part
      real(rk), dimension(w, size(thickness, 2)) :: head, water, taken
      real(rk) :: pond(w)
      integer :: source(w), first, last, nlayer
      nlayer = size(thickness, 2)
      call load_soil(chunk, retention, air_entry, air_dry_head, soil, hydraulics, source, error)
      if (allocated(error)) return
      head = pressure_head(source, :)
      water = soil_water(source, :)
      pond = surface_water(source)
      first = source(1)
      last = min(first + w - 1, size(thickness, 1))
      call richards_column_step(dt, nlayer, first - 1, thickness(source, :), hydraulics, options, &
         surface_input(source), &
                                sink(source, :), head, water, pond, taken, part, error)
      pressure_head(first:last, :) = head(:last - first + 1, :)
      soil_water(first:last, :) = water(:last - first + 1, :)
      if (allocated(error)) return
      surface_water(first:last) = pond(:last - first + 1)
      actual_sink(first:last, :) = taken(:last - first + 1, :)
      flux(first:last, 1) = part%infiltration(:last - first + 1)
      flux(first:last, 2) = part%surface_runoff(:last - first + 1)
      flux(first:last, 3) = part%drainage(:last - first + 1)
      flux(first:last, 4) = part%surface_evaporation(:last - first + 1)
      flux(first:last, 5) = part%residual(:last - first + 1)
      flux(first:last, 6) = part%substeps(:last - first + 1)
      flux(first:last, 7) = part%iterations(:last - first + 1)
   end subroutine step_chunk

   !> Soil parameters of one chunk, ready for use, and the column of each lane.
   subroutine load_soil(chunk, retention, air_entry, air_dry_head, soil, hydraulics, source, error)
      integer, intent(in) :: chunk          !! chunk index [1]
      integer, intent(in) :: retention
      real(rk), intent(in) :: air_entry     !! [m]
      real(rk), intent(in) :: air_dry_head  !! where sinks find no water [m]
      real(rk), intent(in) :: soil(:, :, :) !! (ncolumn, nlayer, nsoil)
      type(soil_hydraulics_type), intent(inout) :: hydraulics
      integer, intent(out) :: source(w)     !! column of each lane [1]
      type(error_type), allocatable, intent(out) :: error
      integer :: i
      do i = 1, w
         source(i) = lane_source(chunk, i, size(soil, 1))
      end do
      hydraulics%retention = retention
      hydraulics%air_entry = air_entry
      hydraulics%air_dry_head = air_dry_head
      call create_soil_hydraulics(hydraulics, size(soil, 2), error)
      if (allocated(error)) return
      hydraulics%porosity(:, :) = soil(source, :, 1)
      hydraulics%residual_water(:, :) = soil(source, :, 2)
      hydraulics%retention_scale(:, :) = soil(source, :, 3)
      hydraulics%retention_shape(:, :) = soil(source, :, 4)
      hydraulics%saturated_conductivity(:, :) = soil(source, :, 5)
      hydraulics%specific_storage(:, :) = soil(source, :, 6)
      call prepare_soil_hydraulics(hydraulics, size(soil, 2), error)
   end subroutine load_soil

   !> Turn water into head, head into water, or make head consistent with water.
   subroutine convert_soil_water(mode, retention, air_entry, air_dry_head, soil, soil_water, pressure_head, error)
      integer, intent(in) :: mode                    !! one of convert_*
      integer, intent(in) :: retention               !! pl_soil_hydraulics: retention_*
      real(rk), intent(in) :: air_entry              !! [m]
      real(rk), intent(in) :: air_dry_head           !! where sinks find no water [m]
      real(rk), intent(in) :: soil(:, :, :)          !! (ncolumn, nlayer, nsoil)
      real(rk), intent(inout) :: soil_water(:, :)    !! (ncolumn, nlayer) [m3 m-3]
      real(rk), intent(inout) :: pressure_head(:, :) !! (ncolumn, nlayer) [m]
      type(error_type), allocatable, intent(out) :: error
      type(soil_hydraulics_type) :: hydraulics
      real(rk), dimension(w, size(soil, 2)) :: head, water
      integer :: chunk, source(w), first, last, nlayer
      nlayer = size(soil, 2)
      do chunk = 1, chunk_count(size(soil, 1))
         hydraulics = soil_hydraulics_type()
         call load_soil(chunk, retention, air_entry, air_dry_head, soil, hydraulics, source, error)
         if (allocated(error)) return
         head = pressure_head(source, :)
         water = soil_water(source, :)
         select case (mode)
         case (convert_to_head)
            call head_from_water(nlayer, hydraulics, water, head)
         case (convert_to_water)
            call water_from_head(nlayer, hydraulics, head, water)
         case default
            call reconcile_head(nlayer, hydraulics, water, head)
         end select
         first = source(1)
         last = min(first + w - 1, size(soil, 1))
         pressure_head(first:last, :) = head(:last - first + 1, :)
         soil_water(first:last, :) = water(:last - first + 1, :)
      end do
   end subroutine convert_soil_water

   !> All water of each column and the depth of its water table.
   subroutine diagnose_columns(retention, air_entry, air_dry_head, thickness, soil, pressure_head, soil_water, &
      surface_water, total, depth, &
                               error)
      integer, intent(in) :: retention             !! pl_soil_hydraulics: retention_*
      real(rk), intent(in) :: air_entry            !! [m]
      real(rk), intent(in) :: air_dry_head         !! where sinks find no water [m]
      real(rk), intent(in) :: thickness(:, :)      !! (ncolumn, nlayer) [m]
      real(rk), intent(in) :: soil(:, :, :)        !! (ncolumn, nlayer, nsoil)
      real(rk), intent(in) :: pressure_head(:, :)  !! [m]
      real(rk), intent(in) :: soil_water(:, :)     !! [m3 m-3]
      real(rk), intent(in) :: surface_water(:)     !! [kg m-2]
      real(rk), intent(inout) :: total(:)          !! [kg m-2]
      real(rk), intent(inout) :: depth(:)          !! [m]
      type(error_type), allocatable, intent(out) :: error
      type(soil_hydraulics_type) :: hydraulics
      real(rk) :: water(w), table(w)
      integer :: chunk, source(w), first, last
      do chunk = 1, chunk_count(size(soil, 1))
         hydraulics = soil_hydraulics_type()
         call load_soil(chunk, retention, air_entry, air_dry_head, soil, hydraulics, source, error)
         if (allocated(error)) return
         call column_water(size(soil, 2), thickness(source, :), hydraulics, soil_water(source, :), &
            pressure_head(source, :), &
                           surface_water(source), water)
         call water_table_depth(size(soil, 2), thickness(source, :), pressure_head(source, :), table)
         first = source(1)
         last = min(first + w - 1, size(soil, 1))
         total(first:last) = water(:last - first + 1)
         depth(first:last) = table(:last - first + 1)
      end do
   end subroutine diagnose_columns

end module pl_subsurface_step
