!> Water stored in columns, and heads and water contents that belong to each other.
module pl_column_water
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, chunk_width, first_column, lane_source, last_column
   use pl_column_model, only: column_model_type
   use pl_constants, only: density_water
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_frozen_soil, only: create_frozen_soil, freeze_hydraulics
   use pl_kinds, only: rk
   use pl_richards_column, only: column_water
   use pl_soil_hydraulics, only: reconcile_head, soil_hydraulics_type, water_from_head
   implicit none (type, external)
   private
   public :: column_model_fill, column_model_reconcile, column_model_store_water
   public :: chunk_storage, require_prepared, water_above

contains

   !> Error unless `prepare_columns` ran since parameters or options changed.
   subroutine require_prepared(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      if (.not. model%is_prepared) then
         call raise_error(error, error_input, "parameters of the columns changed; call prepare before the next step")
      end if
   end subroutine require_prepared

   !> Error unless all values are finite and not larger than a limit; names the first column that is not.
   subroutine require_finite(name, values, limit, expected, error)
      character(len=*), intent(in) :: name      !! what it is
      real(rk), intent(in) :: values(:, :)      !! per column and layer
      real(rk), intent(in) :: limit             !! largest size
      character(len=*), intent(in) :: expected  !! what is right
      type(error_type), allocatable, intent(out) :: error
      character(len=12) :: place
      integer :: column
      do column = 1, size(values, 1)
         if (all(ieee_is_finite(values(column, :)))) then
            if (all(abs(values(column, :)) <= limit)) cycle
         end if
         write (place, "(i0)") column
         call raise_error(error, error_state, name//" in column "//trim(place)//": expected "//expected)
         return
      end do
   end subroutine require_finite

   !> Water of a chunk: in soil (ice and elastic storage included), snow, on the ground and on leaves [kg m-2].
   pure subroutine chunk_storage(nlayer, thickness, hydraulics, soil_water, soil_ice, head, other, soil, ice, total)
      integer, intent(in) :: nlayer                                    !! [1]
      real(rk), intent(in) :: thickness(chunk_width, nlayer)           !! [m]
      type(soil_hydraulics_type), intent(in) :: hydraulics             !! prepared parameters
      real(rk), intent(in) :: soil_water(chunk_width, nlayer)          !! liquid [m3 m-3]
      real(rk), intent(in) :: soil_ice(chunk_width, nlayer)            !! as volume of liquid water [m3 m-3]
      real(rk), intent(in) :: head(chunk_width, nlayer)                !! [m]
      real(rk), intent(in) :: other(chunk_width)                       !! pond, snow, and on leaves [kg m-2]
      real(rk), intent(out) :: soil(chunk_width)                       !! liquid and ice [kg m-2]
      real(rk), intent(out) :: ice(chunk_width)                        !! in soil [kg m-2]
      real(rk), intent(out) :: total(chunk_width)                      !! [kg m-2]
      real(rk) :: none(chunk_width)
      integer :: i, k
      none = 0.0_rk
      call column_water(nlayer, thickness, hydraulics, soil_water, head, none, soil)
      ice = 0.0_rk
      do k = 1, nlayer
         do i = 1, chunk_width
            ice(i) = ice(i) + density_water*thickness(i, k)*soil_ice(i, k)
         end do
      end do
      soil = soil + ice
      total = soil + other
   end subroutine chunk_storage

   !> Water of a chunk above the soil: ponded, in snow, and on leaves.
   pure subroutine water_above(model, source, above)
      type(column_model_type), intent(in) :: model
      integer, intent(in) :: source(chunk_width)      !! column of each lane
      real(rk), intent(out) :: above(chunk_width)     !! [kg m-2]
      integer :: k
      above = model%water%surface_water(source, 1)
      do k = 1, model%npatch
         above = above + model%land_parameters%patch_fraction(source, k) &
                 *(model%land%canopy_water(source, k) + model%land%canopy_snow(source, k))
      end do
      do k = 1, model%nsnow
         above = above + model%land%snow_ice(source, k) + model%land%snow_liquid(source, k)
      end do
   end subroutine water_above

   !> Soil hydraulics of a chunk as its ice leaves them; `frozen` is used where there is ice.
   subroutine hydraulics_of_state(model, chunk, source, frozen, error)
      type(column_model_type), intent(in) :: model
      integer, intent(in) :: chunk                    !! chunk index
      integer, intent(in) :: source(chunk_width)      !! column of each lane
      type(soil_hydraulics_type), intent(inout) :: frozen
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      call create_frozen_soil(model%nlayer, model%derived%hydraulics(chunk), frozen, error)
      if (allocated(error)) return
      call freeze_hydraulics(model%nlayer, model%derived%hydraulics(chunk), model%land%soil_ice(source, :), frozen)
   end subroutine hydraulics_of_state

   !> Bring `soil_water_total` and `land_water` up to date with the state.
   subroutine column_model_store_water(model, error)
      type(column_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! parameters not prepared
      real(rk), dimension(chunk_width) :: above, soil, ice, total
      integer :: chunk, count, first, i, last, source(chunk_width)
      call require_prepared(model, error)
      if (allocated(error)) return
      do chunk = 1, chunk_count(model%ncolumn)
         first = first_column(chunk)
         last = last_column(chunk, model%ncolumn)
         count = last - first + 1
         do i = 1, chunk_width
            source(i) = lane_source(chunk, i, model%ncolumn)
         end do
         call water_above(model, source, above)
         call chunk_storage(model%nlayer, model%land_parameters%thickness(source, :model%nlayer), &
                            model%derived%hydraulics(chunk), model%water%soil_water(source, :), &
                            model%land%soil_ice(source, :), model%water%pressure_head(source, :), above, soil, ice, total)
         model%water_flux%soil_water_total(first:last, 1) = soil(:count)
         model%water_flux%soil_ice_total(first:last, 1) = ice(:count)
         model%water_flux%land_water(first:last, 1) = total(:count)
      end do
   end subroutine column_model_store_water

   !> Pressure heads from soil water; a saturated layer keeps a positive head.
   subroutine column_model_reconcile(model, error)
      type(column_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! parameters not prepared, water not finite
      real(rk), dimension(chunk_width, model%nlayer) :: head, water
      type(soil_hydraulics_type) :: frozen
      integer :: chunk, count, first, i, last, source(chunk_width)
      call require_prepared(model, error)
      if (allocated(error)) return
      call require_finite("soil water", model%water%soil_water, 1.0_rk, "a number from 0 to 1", error)
      if (allocated(error)) return
      do chunk = 1, chunk_count(model%ncolumn)
         first = first_column(chunk)
         last = last_column(chunk, model%ncolumn)
         count = last - first + 1
         do i = 1, chunk_width
            source(i) = lane_source(chunk, i, model%ncolumn)
         end do
         head = model%water%pressure_head(source, :)
         water = model%water%soil_water(source, :)
         call hydraulics_of_state(model, chunk, source, frozen, error)
         if (allocated(error)) return
         call reconcile_head(model%nlayer, frozen, water, head)
         model%water%pressure_head(first:last, :) = head(:count, :)
         model%water%soil_water(first:last, :) = water(:count, :)
      end do
   end subroutine column_model_reconcile

   !> Soil water from pressure heads.
   subroutine column_model_fill(model, error)
      type(column_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! parameters not prepared, heads not finite
      real(rk), dimension(chunk_width, model%nlayer) :: head, water
      type(soil_hydraulics_type) :: frozen
      integer :: chunk, count, first, i, last, source(chunk_width)
      call require_prepared(model, error)
      if (allocated(error)) return
      call require_finite("pressure head", model%water%pressure_head, huge(1.0_rk), "a finite number", error)
      if (allocated(error)) return
      do chunk = 1, chunk_count(model%ncolumn)
         first = first_column(chunk)
         last = last_column(chunk, model%ncolumn)
         count = last - first + 1
         do i = 1, chunk_width
            source(i) = lane_source(chunk, i, model%ncolumn)
         end do
         head = model%water%pressure_head(source, :)
         water = model%water%soil_water(source, :)
         call hydraulics_of_state(model, chunk, source, frozen, error)
         if (allocated(error)) return
         call water_from_head(model%nlayer, frozen, head, water)
         model%water%soil_water(first:last, :) = water(:count, :)
      end do
   end subroutine column_model_fill

end module pl_column_water
