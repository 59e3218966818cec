!> Facade: soil water of columns on its own, and the functions of the soil.
!>
!> `soil` is (ncolumn, nlayer, 6), `flux` (ncolumn, 7), as in pl_subsurface_step.
module pl_api_subsurface
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_richards_column, only: check_richards_options, richards_options_type
   use pl_subsurface_step, only: convert_reconcile, convert_soil_water, convert_to_head, diagnose_columns, nflux, &
      nsoil, &
                                 subsurface_step
   implicit none (type, external)
   private
   public :: subsurface_advance, subsurface_convert, subsurface_diagnose

contains

   !> Advance all columns by `dt`.
   subroutine subsurface_advance(dt, retention, air_entry, lower_boundary, upper_boundary, water_table_depth, &
      surface_head, &
                                 ponding_depth, air_dry_head, tolerance, max_iterations, min_step, thickness, soil, &
                                 surface_input, sink, pressure_head, soil_water, surface_water, actual_sink, flux, &
                                 ierr, errmsg)
      real(rk), intent(in) :: dt                      !! step [s]
      integer, intent(in) :: retention                !! 1 van Genuchten, 2 Clapp-Hornberger, 3 Gardner
      real(rk), intent(in) :: air_entry               !! air-entry head of van Genuchten soils with small n [m]
      integer, intent(in) :: lower_boundary           !! 1 free drainage, 2 no flow, 3 water table
      integer, intent(in) :: upper_boundary           !! 1 flux, 2 head
      real(rk), intent(in) :: water_table_depth       !! for lower_boundary 3 [m]
      real(rk), intent(in) :: surface_head            !! for upper_boundary 2 [m]
      real(rk), intent(in) :: ponding_depth           !! [m]
      real(rk), intent(in) :: air_dry_head            !! [m]
      real(rk), intent(in) :: tolerance               !! [m]
      integer, intent(in) :: max_iterations           !! [1]
      real(rk), intent(in) :: min_step                !! [s]
      real(rk), intent(in) :: thickness(:, :)         !! (ncolumn, nlayer) [m]
      real(rk), intent(in) :: soil(:, :, :)           !! soil parameters
      real(rk), intent(in) :: surface_input(:)        !! rain; negative: evaporation demand [kg m-2 s-1]
      real(rk), intent(in) :: sink(:, :)              !! demand per layer [kg m-2 s-1]
      real(rk), intent(inout) :: pressure_head(:, :)  !! [m]
      real(rk), intent(inout) :: soil_water(:, :)     !! [m3 m-3]
      real(rk), intent(inout) :: surface_water(:)     !! [kg m-2]
      real(rk), intent(inout) :: actual_sink(:, :)    !! met demand [kg m-2 s-1]
      real(rk), intent(inout) :: flux(:, :)           !! means over the step
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(richards_options_type) :: options
      type(error_type), allocatable :: error
      options%lower_boundary = lower_boundary
      options%upper_boundary = upper_boundary
      options%water_table_depth = water_table_depth
      options%surface_head = surface_head
      options%ponding_depth = ponding_depth
      options%tolerance = tolerance
      options%max_iterations = max_iterations
      options%min_step = min_step
      call check_richards_options(options, error)
      if (.not. allocated(error)) call check_step(dt, thickness, soil, surface_input, sink, pressure_head, soil_water, &
                                                  surface_water, actual_sink, flux, error)
      if (.not. allocated(error)) call subsurface_step(dt, retention, air_entry, air_dry_head, options, thickness, &
         soil, surface_input, sink, &
                                                       pressure_head, soil_water, surface_water, actual_sink, flux, &
                                                       error)
      call report(error, ierr, errmsg)
   end subroutine subsurface_advance

   !> Head from water (mode 1), water from head (2), or head made consistent with water (3).
   subroutine subsurface_convert(mode, retention, air_entry, air_dry_head, soil, soil_water, pressure_head, ierr, &
      errmsg)
      integer, intent(in) :: mode                    !! see above
      integer, intent(in) :: retention               !! 1 van Genuchten, 2 Clapp-Hornberger, 3 Gardner
      real(rk), intent(in) :: air_entry              !! [m]
      real(rk), intent(in) :: air_dry_head           !! [m]
      real(rk), intent(in) :: soil(:, :, :)          !! soil parameters
      real(rk), intent(inout) :: soil_water(:, :)    !! (ncolumn, nlayer) [m3 m-3]
      real(rk), intent(inout) :: pressure_head(:, :) !! (ncolumn, nlayer) [m]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (mode < convert_to_head .or. mode > convert_reconcile) then
         call raise_error(error, error_input, "subsurface_convert: mode must be 1, 2 or 3")
      else if (.not. (shapes_fit(soil, pressure_head) .and. shapes_fit(soil, soil_water))) then
         call raise_error(error, error_input, "subsurface_convert: soil must be (ncolumn, nlayer, 6), water "// &
                          "and head (ncolumn, nlayer)")
      else if (.not. (all_numbers(pressure_head) .and. all_numbers(soil_water))) then
         call raise_error(error, error_input, "subsurface_convert: water or head holds NaN or infinity")
      else
         call convert_soil_water(mode, retention, air_entry, air_dry_head, soil, soil_water, pressure_head, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine subsurface_convert

   !> All water of each column and the depth of its water table.
   subroutine subsurface_diagnose(retention, air_entry, air_dry_head, thickness, soil, pressure_head, soil_water, &
      surface_water, total, depth, &
                                  ierr, errmsg)
      integer, intent(in) :: retention             !! 1 van Genuchten, 2 Clapp-Hornberger, 3 Gardner
      real(rk), intent(in) :: air_entry            !! [m]
      real(rk), intent(in) :: air_dry_head         !! [m]
      real(rk), intent(in) :: thickness(:, :)      !! (ncolumn, nlayer) [m]
      real(rk), intent(in) :: soil(:, :, :)        !! soil parameters
      real(rk), intent(in) :: pressure_head(:, :)  !! [m]
      real(rk), intent(in) :: soil_water(:, :)     !! [m3 m-3]
      real(rk), intent(in) :: surface_water(:)     !! [kg m-2]
      real(rk), intent(inout) :: total(:)          !! [kg m-2]
      real(rk), intent(inout) :: depth(:)          !! [m]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (.not. (shapes_fit(soil, pressure_head) .and. shapes_fit(soil, soil_water) .and. shapes_fit(soil, &
         thickness)) .or. &
          size(surface_water) /= size(soil, 1) .or. size(total) /= size(soil, 1) .or. size(depth) /= size(soil, 1)) then
         call raise_error(error, error_input, "subsurface_diagnose: soil must be (ncolumn, nlayer, 6), the others "// &
                          "(ncolumn, nlayer) or (ncolumn)")
      else
         call diagnose_columns(retention, air_entry, air_dry_head, thickness, soil, pressure_head, soil_water, &
            surface_water, total, depth, &
                               error)
      end if
      call report(error, ierr, errmsg)
   end subroutine subsurface_diagnose

   !> Shapes, NaN and ranges of a step's arrays.
   subroutine check_step(dt, thickness, soil, surface_input, sink, pressure_head, soil_water, surface_water, &
      actual_sink, &
                         flux, error)
      real(rk), intent(in) :: dt                  !! [s]
      real(rk), intent(in) :: thickness(:, :)     !! [m]
      real(rk), intent(in) :: soil(:, :, :)
      real(rk), intent(in) :: surface_input(:)    !! [kg m-2 s-1]
      real(rk), intent(in) :: sink(:, :)          !! [kg m-2 s-1]
      real(rk), intent(in) :: pressure_head(:, :) !! [m]
      real(rk), intent(in) :: soil_water(:, :)    !! [m3 m-3]
      real(rk), intent(in) :: surface_water(:)    !! [kg m-2]
      real(rk), intent(in) :: actual_sink(:, :)   !! [kg m-2 s-1]
      real(rk), intent(in) :: flux(:, :)
      type(error_type), allocatable, intent(out) :: error
      integer :: ncolumn
      ncolumn = size(soil, 1)
      if (.not. (shapes_fit(soil, thickness) .and. shapes_fit(soil, sink) .and. shapes_fit(soil, pressure_head) .and. &
                 shapes_fit(soil, soil_water) .and. shapes_fit(soil, actual_sink)) .or. size(flux, 1) /= ncolumn .or. &
          size(flux, 2) /= nflux .or. size(surface_input) /= ncolumn .or. size(surface_water) /= ncolumn) then
         call raise_error(error, error_input, "subsurface_advance: soil must be (ncolumn, nlayer, 6), flux "// &
                          "(ncolumn, 7), the others (ncolumn, nlayer) or (ncolumn)")
      else if (.not. (all_numbers(sink) .and. all_numbers(pressure_head) .and. all_numbers(soil_water) .and. &
                      all(ieee_is_finite(surface_input)) .and. all(ieee_is_finite(surface_water)))) then
         call raise_error(error, error_input, "subsurface_advance: forcing or state holds NaN or infinity")
      else if (.not. ieee_is_finite(dt)) then
         call raise_error(error, error_input, "subsurface_advance: the time step must be a number")
      else if (dt <= 0.0_rk) then
         call raise_error(error, error_input, "subsurface_advance: the time step must be positive")
      else if (.not. all(thickness > 0.0_rk)) then
         call raise_error(error, error_input, "subsurface_advance: every layer thickness must be positive")
      else if (.not. all(surface_water >= 0.0_rk)) then
         call raise_error(error, error_input, "subsurface_advance: surface_water must not be negative")
      end if
   end subroutine check_step

   !> Whether a field has the columns and layers of the soil.
   pure logical function shapes_fit(soil, field)
      real(rk), intent(in) :: soil(:, :, :)
      real(rk), intent(in) :: field(:, :)
      shapes_fit = size(soil, 3) == nsoil .and. size(field, 1) == size(soil, 1) .and. size(field, 2) == size(soil, &
         2) .and. &
                   size(field) > 0
   end function shapes_fit

   !> Whether a field holds neither NaN nor infinity.
   pure logical function all_numbers(field)
      real(rk), intent(in) :: field(:, :)
      all_numbers = all(ieee_is_finite(field))
   end function all_numbers

end module pl_api_subsurface
