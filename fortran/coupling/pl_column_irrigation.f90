!> Irrigation of a set of columns: its share of a chunk's step.
module pl_column_irrigation
   use pl_chunk, only: first_column, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_column_model, only: column_model_type
   use pl_error, only: error_input, error_type, raise_error
   use pl_irrigation, only: apply_irrigation, irrigation_deficit, irrigation_patch_type, method_drip, method_sprinkler
   use pl_irrigation_state, only: create_irrigation_fields
   use pl_kinds, only: rk
   use pl_land_chunk, only: plant_chunk_type
   use pl_land_step, only: land_sums_type
   implicit none (type, external)
   private
   public :: check_irrigation_parameters, column_model_irrigate, irrigate_patch

contains

   !> Create the fields of irrigation.
   subroutine column_model_irrigate(model, error)
      type(column_model_type), target, intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! no columns yet, not enough memory
      if (model%irrigation%is_on) return
      if (model%ncolumn == 0) then
         call raise_error(error, error_input, "create the columns before irrigating them")
         return
      end if
      call create_irrigation_fields(model%table, model%npatch, model%irrigation, error)
      if (allocated(error)) return
      model%irrigation%is_on = .true.
      model%is_prepared = .false.
   end subroutine column_model_irrigate

   !> Parameters of irrigation must be physical; names the first column that is not.
   subroutine check_irrigation_parameters(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=12) :: place
      logical :: is_right(model%ncolumn)
      if (.not. model%irrigation%is_on) return
      associate (r => model%irrigation)
         is_right = all(r%method >= method_sprinkler .and. r%method <= method_drip .and. r%threshold >= 0.0_rk .and. &
                        r%threshold <= 1.0_rk .and. r%depth > 0.0_rk .and. r%duration > 0.0_rk, 2)
      end associate
      if (all(is_right)) return
      write (place, "(i0)") findloc(is_right, .false., dim=1)
      call raise_error(error, error_input, "parameters of irrigation are out of range in column "//trim(place)// &
                       ": expected irrigation_method 1, 2 or 3, irrigation_threshold from 0 to 1, irrigation_depth above 0 m "// &
                       "and irrigation_duration above 0 s")
   end subroutine check_irrigation_parameters

   !> Irrigate one patch: sprinkled water goes to its canopy, other water to the ground of the column.
   subroutine irrigate_patch(model, dt, chunk, source, p, thickness, water, soil_temperature, plant, sums)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                                  !! time step [s]
      integer, intent(in) :: chunk                                !! chunk index
      integer, intent(in) :: source(w)                            !! column of each lane
      integer, intent(in) :: p                                    !! patch index
      real(rk), intent(in) :: thickness(w, model%nlayer)          !! [m]
      real(rk), intent(in) :: water(w, model%nlayer)              !! [m3 m-3]
      real(rk), intent(in) :: soil_temperature(w, model%nlayer)   !! [K]
      type(plant_chunk_type), intent(inout) :: plant              !! out: with `sprinkling`
      type(land_sums_type), intent(inout) :: sums                 !! `throughfall` and `irrigation` grow
      type(irrigation_patch_type) :: patch
      real(rk) :: deficit(w), ground(w)
      integer :: first, n
      first = first_column(chunk)
      n = last_column(chunk, model%ncolumn) - first + 1
      associate (r => model%irrigation)
         patch%method = nint(r%method(source, p))
         patch%is_by_deficit = r%by_deficit(source, p) > 0.5_rk
         patch%threshold = r%threshold(source, p)
         patch%depth = r%depth(source, p)
         patch%duration = r%duration(source, p)
         patch%supply = r%supply(source, p)
         patch%is_start = r%start(source, p) > 0.5_rk
         patch%remaining = r%remaining(source, p)
         patch%rate = r%rate(source, p)
      end associate
      deficit = 0.0_rk
      if (any(patch%is_start .and. patch%is_by_deficit)) then
         call find_deficit(model, chunk, source, p, thickness, water, soil_temperature, patch, deficit)
      end if
      call apply_irrigation(dt, plant%leaf_area, deficit, patch, plant%sprinkling, ground)
      sums%throughfall = sums%throughfall + plant%fraction*ground
      sums%irrigation = sums%irrigation + plant%fraction*(plant%sprinkling + ground)
      model%irrigation%remaining(first:first + n - 1, p) = patch%remaining(:n)
      model%irrigation%rate(first:first + n - 1, p) = patch%rate(:n)
   end subroutine irrigate_patch

   !> Deficit of the root zone to field capacity (-33 kPa, as the critical point of the roots) or to saturation.
   subroutine find_deficit(model, chunk, source, p, thickness, water, soil_temperature, patch, deficit)
      type(column_model_type), intent(in) :: model
      integer, intent(in) :: chunk                              !! chunk index
      integer, intent(in) :: source(w)                          !! column of each lane
      integer, intent(in) :: p                                  !! patch index
      real(rk), intent(in) :: thickness(w, model%nlayer)        !! [m]
      real(rk), intent(in) :: water(w, model%nlayer)            !! [m3 m-3]
      real(rk), intent(in) :: soil_temperature(w, model%nlayer) !! [K]
      type(irrigation_patch_type), intent(in) :: patch
      real(rk), intent(out) :: deficit(w)                       !! [kg m-2]
      real(rk), dimension(w, model%nlayer) :: full, wilting
      logical :: is_saturated(w)
      integer :: k
      call load_chunk(chunk, model%nlayer, model%derived%critical_water, full)
      call load_chunk(chunk, model%nlayer, model%derived%wilting_water, wilting)
      is_saturated = model%irrigation%to_saturation(source, p) > 0.5_rk
      do k = 1, model%nlayer
         full(:, k) = merge(model%derived%hydraulics(chunk)%porosity(:, k), full(:, k), is_saturated)
      end do
      call irrigation_deficit(model%nlayer, thickness, water, wilting, full, soil_temperature, patch%depth, patch%threshold, &
                              deficit)
   end subroutine find_deficit

end module pl_column_irrigation
