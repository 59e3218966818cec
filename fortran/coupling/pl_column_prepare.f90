!> Check the parameters of a set of columns and derive what does not change in time.
module pl_column_prepare
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_column_carbon, only: check_carbon_parameters
   use pl_column_irrigation, only: check_irrigation_parameters
   use pl_column_model, only: column_model_type
   use pl_constants, only: conductivity_water
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_frozen_soil, only: freezing_curve
   use pl_field_table, only: role_parameter
   use pl_kinds, only: rk
   use pl_land_chunk, only: surface_soil
   use pl_land_options, only: check_land_options
   use pl_richards_column, only: check_richards_options
   use pl_root_uptake, only: critical_head, wilting_head
   use pl_soil_evaporation, only: vapour_tortuosity
   use pl_soil_hydraulics, only: create_soil_hydraulics, prepare_soil_hydraulics, retention_clapp_hornberger, &
                                 retention_gardner, retention_van_genuchten, water_at_head
   use pl_soil_thermal, only: fill_soil_thermal
   implicit none (type, external)
   private
   public :: prepare_columns

   real(rk), parameter :: air_dry_head = -1.0e4_rk          !! head at which CLM's dry surface layer is complete [m]
   real(rk), parameter :: smallest_share = 1.0e-3_rk        !! air-filled share of the pores of air-dry soil, at least [1]
   real(rk), parameter :: smallest_storage = 1.0e-6_rk      !! specific storage by the compressibility of water [m-1]
   real(rk), parameter :: smallest_range = 1.0e-6_rk        !! of water that roots find, at least [m3 m-3]
   real(rk), parameter :: drained_rate = 1.0e-4_rk/86400.0_rk !! drainage that defines field capacity, 0.1 mm day-1 [m s-1]
   real(rk), parameter :: fraction_tolerance = 1.0e-9_rk    !! round-off of fractions given as decimals [1]

contains

   !> Check parameters and fill `model%derived`.
   subroutine prepare_columns(model, error)
      type(column_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! parameters out of range, not enough memory
      integer :: chunk, stat
      model%is_prepared = .false.
      call check_options(model, error)
      if (allocated(error)) return
      call check_parameters(model, error)
      if (allocated(error)) return
      call check_carbon_parameters(model, error)
      if (allocated(error)) return
      call check_irrigation_parameters(model, error)
      if (allocated(error)) return
      associate (land => model%land_parameters, water => model%water_parameters)
         call fill_soil_thermal(land%sand, land%clay, land%organic, water%porosity, model%derived%thermal, error)
      end associate
      if (allocated(error)) return
      if (model%land_options%surface_kind /= surface_soil) call set_slab(model)
      if (.not. allocated(model%derived%hydraulics)) then
         allocate (model%derived%hydraulics(chunk_count(model%ncolumn)), stat=stat)
         if (stat == 0) allocate (model%derived%critical_water(model%ncolumn, model%nlayer), stat=stat)
         if (stat == 0) allocate (model%derived%wilting_water(model%ncolumn, model%nlayer), stat=stat)
         if (stat == 0) allocate (model%derived%air_dry_water(model%ncolumn), stat=stat)
         if (stat == 0) allocate (model%derived%vapour_tortuosity(model%ncolumn), stat=stat)
         if (stat == 0) allocate (model%derived%field_capacity(model%ncolumn), stat=stat)
         if (stat == 0) allocate (model%derived%freezing_film(model%ncolumn, model%nlayer), stat=stat)
         if (stat == 0) allocate (model%derived%freezing_scale(model%ncolumn, model%nlayer), stat=stat)
         if (stat == 0) allocate (model%derived%freezing_power(model%ncolumn, model%nlayer), stat=stat)
         if (stat /= 0) then
            call raise_error(error, error_state, "not enough memory for derived soil parameters; use fewer columns per rank")
            return
         end if
      end if
      do chunk = 1, chunk_count(model%ncolumn)
         call prepare_chunk(model, chunk, error)
         if (allocated(error)) return
      end do
      model%is_prepared = .true.
   end subroutine prepare_columns

   !> Thermal properties of a ground that is no soil: full of water it conducts as a mixture does, without as the slab.
   subroutine set_slab(model)
      type(column_model_type), intent(inout) :: model
      real(rk), dimension(w) :: pores, mixed
      integer :: chunk, first, i, k, last, source(w)
      associate (thermal => model%derived%thermal, options => model%land_options)
         thermal%dry_conductivity = options%slab_conductivity
         thermal%dry_heat_capacity = options%slab_heat_capacity
         ! whole chunks: powers in the tail of a loop differ in the last bit
         do chunk = 1, chunk_count(model%ncolumn)
            first = first_column(chunk)
            last = last_column(chunk, model%ncolumn)
            do i = 1, w
               source(i) = lane_source(chunk, i, model%ncolumn)
            end do
            do k = 1, model%nlayer
               pores = model%water_parameters%porosity(source, k)
               mixed = options%slab_conductivity*(conductivity_water/options%slab_conductivity)**pores
               thermal%saturated_conductivity(first:last, k) = mixed(:last - first + 1)
            end do
         end do
      end associate
   end subroutine set_slab

   !> Schemes must be among those that exist.
   subroutine check_options(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      call check_land_options(model%land_options, error)
      if (allocated(error)) return
      if (all(model%retention /= [retention_van_genuchten, retention_clapp_hornberger, retention_gardner])) then
         call raise_error(error, error_input, "unknown retention curve")
      else
         call check_richards_options(model%water_options, error)
      end if
   end subroutine check_options

   !> Parameters must be physical in every column; the message names the first that is not.
   subroutine check_parameters(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=:), allocatable :: name
      character(len=16) :: place
      real(rk) :: least_shape
      integer :: column
      call model%table%find_nonfinite(role_parameter, name, column)
      if (column > 0) then
         write (place, "(i0)") column
         call raise_error(error, error_input, "parameter '"//name//"' is not a finite number in column "//trim(place))
         return
      end if
      least_shape = merge(1.0_rk, 0.0_rk, model%retention == retention_van_genuchten)
      associate (land => model%land_parameters, water => model%water_parameters)
         call require("thickness", "above 0 m", all(land%thickness > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("reference_height", "above 0 m", all(land%reference_height > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("porosity", "between residual_water and 1", &
                      all(water%porosity > water%residual_water .and. water%porosity < 1.0_rk, 2), error)
         if (allocated(error)) return
         call require("residual_water", "at least 0", all(water%residual_water >= 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("retention_scale", "above 0", all(water%retention_scale > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("retention_shape", "above 1 for van Genuchten, above 0 for Clapp-Hornberger", &
                      all(water%retention_shape > least_shape, 2), error)
         if (allocated(error)) return
         call require("saturated_conductivity", "above 0 m s-1", all(water%saturated_conductivity > 0.0_rk, 2), error)
         if (allocated(error)) return
         call require("specific_storage", "at least 1e-6 m-1, the compressibility of water", &
                      all(water%specific_storage >= smallest_storage, 2), error)
         if (allocated(error)) return
         call require("patch_fraction", "a sum of 1 over the patches", all(land%patch_fraction >= 0.0_rk, 2) .and. &
                      abs(sum(land%patch_fraction, 2) - 1.0_rk) < fraction_tolerance, error)
         if (allocated(error)) return
         call require("psi_open", "above psi_closed", all(land%psi_open > land%psi_closed, 2), error)
      end associate
   end subroutine check_parameters

   !> Error unless a condition holds in every column; NaN never holds.
   subroutine require(name, expected, is_right, error)
      character(len=*), intent(in) :: name      !! parameter
      character(len=*), intent(in) :: expected  !! what is right
      logical, intent(in) :: is_right(:)        !! per column
      type(error_type), allocatable, intent(out) :: error
      character(len=16) :: place
      if (all(is_right)) return
      write (place, "(i0)") findloc(is_right, .false., dim=1)
      call raise_error(error, error_input, "parameter '"//name//"' is out of range in column "//trim(place)// &
                       ": expected "//expected)
   end subroutine require

   !> Hydraulic functions of a chunk, and properties of its drying surface.
   subroutine prepare_chunk(model, chunk, error)
      type(column_model_type), intent(inout) :: model
      integer, intent(in) :: chunk                        !! chunk index
      type(error_type), allocatable, intent(out) :: error !! parameters out of range, not enough memory
      real(rk) :: dry_water(w, model%nlayer), wilting(w, model%nlayer), critical(w, model%nlayer), limit(w)
      real(rk), dimension(w, model%nlayer) :: film, scale, power
      integer :: count, first, i, last, source(w)
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      count = last - first + 1
      do i = 1, w
         source(i) = lane_source(chunk, i, model%ncolumn)
      end do
      associate (water => model%water_parameters, derived => model%derived, soil => model%derived%hydraulics(chunk))
         soil%retention = model%retention
         soil%air_entry = model%air_entry
         call create_soil_hydraulics(soil, model%nlayer, error)
         if (allocated(error)) return
         soil%porosity(:, :) = water%porosity(source, :)
         soil%residual_water(:, :) = water%residual_water(source, :)
         soil%retention_scale(:, :) = water%retention_scale(source, :)
         soil%retention_shape(:, :) = water%retention_shape(source, :)
         soil%saturated_conductivity(:, :) = water%saturated_conductivity(source, :)
         soil%specific_storage(:, :) = water%specific_storage(source, :)
         call prepare_soil_hydraulics(soil, model%nlayer, error)
         if (allocated(error)) return
         call water_at_head(model%nlayer, soil, wilting_head, wilting)
         call water_at_head(model%nlayer, soil, critical_head, critical)
         critical = max(critical, wilting + smallest_range)
         derived%wilting_water(first:last, :) = wilting(:count, :)
         derived%critical_water(first:last, :) = critical(:count, :)
         call freezing_curve(model%nlayer, soil, film, scale, power)
         if (model%land_options%surface_kind /= surface_soil) film = 0.0_rk ! no solids hold water
         derived%freezing_film(first:last, :) = film(:count, :)
         derived%freezing_scale(first:last, :) = scale(:count, :)
         derived%freezing_power(first:last, :) = power(:count, :)
         call water_at_head(model%nlayer, soil, air_dry_head, dry_water)
         limit = min(dry_water(:, 1), (1.0_rk - smallest_share)*soil%porosity(:, 1))
         derived%air_dry_water(first:last) = limit(:count)
         ! whole chunks: powers in the tail of a loop differ in the last bit
         limit = vapour_tortuosity(soil%porosity(:, 1), limit, pore_exponent(model%retention, soil%retention_shape(:, 1)))
         derived%vapour_tortuosity(first:last) = limit(:count)
         limit = field_capacity(model%retention, soil%porosity(:, 1), soil%residual_water(:, 1), &
                                soil%retention_shape(:, 1), soil%saturated_conductivity(:, 1))
         derived%field_capacity(first:last) = limit(:count)
      end associate
   end subroutine prepare_chunk

   !> Clapp-Hornberger exponent b, or its van Genuchten equivalent 1/(n - 1) (Lenhard, Parker and Mishra 1989).
   elemental real(rk) function pore_exponent(scheme, shape)
      integer, intent(in) :: scheme    !! retention_*
      real(rk), intent(in) :: shape    !! b or n [1]
      pore_exponent = merge(shape, 1.0_rk/(max(shape, 1.01_rk) - 1.0_rk), scheme == retention_clapp_hornberger)
   end function pore_exponent

   !> Water content at which conductivity falls to 0.1 mm day-1 (CLM4.5 note eq. 7.70), with the exponent 2 b + 3.
   elemental real(rk) function field_capacity(scheme, porosity, residual, shape, conductivity)
      integer, intent(in) :: scheme         !! retention_*
      real(rk), intent(in) :: porosity      !! [m3 m-3]
      real(rk), intent(in) :: residual      !! [m3 m-3]
      real(rk), intent(in) :: shape         !! b or n [1]
      real(rk), intent(in) :: conductivity  !! saturated [m s-1]
      real(rk) :: saturation
      saturation = min(drained_rate/conductivity, 1.0_rk)**(1.0_rk/(2.0_rk*pore_exponent(scheme, shape) + 3.0_rk))
      field_capacity = residual + (porosity - residual)*saturation
   end function field_capacity

end module pl_column_prepare
