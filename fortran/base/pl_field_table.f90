!> Named fields of a model: one container for state, parameters, forcing and fluxes.
!>
!> A component allocates its arrays through this table, so that Python can ask for each by name, and a
!> restart file is complete by construction: it holds every field whose role is `state`.
module pl_field_table
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: lk, rk
   implicit none (type, external)
   private
   public :: field_table_type, name_length
   public :: role_flux, role_forcing, role_parameter, role_state

   integer, parameter :: name_length = 48   !! characters of a field name
   integer, parameter :: role_state = 1     !! carried from step to step, part of the restart
   integer, parameter :: role_parameter = 2 !! constant in time
   integer, parameter :: role_forcing = 3   !! set by the driver before each step
   integer, parameter :: role_flux = 4      !! result of the last step

   !> One field: its name, role and memory.
   type :: field_type
      character(len=name_length) :: name = ""
      integer :: role = 0
      real(rk), pointer, contiguous :: values(:, :) => null()
   end type field_type

   !> Fields of one model instance, in order of registration.
   type :: field_table_type
      integer :: ncolumn = 0                        !! columns of every field [1]
      integer :: nfield = 0                         !! number of fields [1]
      type(field_type), allocatable :: fields(:)    !! the fields
   contains
      procedure :: create => field_table_create
      procedure :: address => field_table_address
      procedure :: find_nonfinite => field_table_find_nonfinite
   end type field_table_type

contains

   !> Allocate `array` as (ncolumn, nlayer), fill it and enter it under `name`.
   subroutine field_table_create(self, array, name, role, nlayer, fill, error)
      class(field_table_type), intent(inout) :: self
      real(rk), allocatable, target, intent(inout) :: array(:, :) !! component of an object that lives as long as the table
      character(len=*), intent(in) :: name                !! identifier of the registry (base/variables.yaml)
      integer, intent(in) :: role                         !! one of the roles above
      integer, intent(in) :: nlayer                       !! second extent [1]
      real(rk), intent(in) :: fill                        !! initial value, in the unit of the field
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      type(field_type), allocatable :: larger(:)
      integer :: stat
      allocate (array(self%ncolumn, nlayer), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for field '"//trim(name)//"'; use fewer columns per rank")
         return
      end if
      array = fill
      if (.not. allocated(self%fields)) allocate (self%fields(32))
      if (self%nfield == size(self%fields)) then
         allocate (larger(2*self%nfield))
         larger(:self%nfield) = self%fields
         call move_alloc(larger, self%fields)
      end if
      self%nfield = self%nfield + 1
      self%fields(self%nfield)%name = name
      self%fields(self%nfield)%role = role
      self%fields(self%nfield)%values => array
   end subroutine field_table_create

   !> Address and shape of a field, for a view without copy.
   subroutine field_table_address(self, index, name, role, nlayer, address, error)
      class(field_table_type), intent(in) :: self
      integer, intent(in) :: index                        !! 1 to nfield
      character(len=name_length), intent(out) :: name     !! name of the field
      integer, intent(out) :: role                        !! role of the field
      integer, intent(out) :: nlayer                      !! second extent [1]
      integer(lk), intent(out) :: address                 !! address of the first value
      type(error_type), allocatable, intent(out) :: error !! index out of range
      name = ""
      role = 0
      nlayer = 0
      address = 0_lk
      if (index < 1 .or. index > self%nfield) then
         call raise_error(error, error_input, "field index is outside 1 to nfield")
         return
      end if
      name = self%fields(index)%name
      role = self%fields(index)%role
      nlayer = size(self%fields(index)%values, 2)
      address = int(transfer(c_loc(self%fields(index)%values), 0_c_intptr_t), lk)
   end subroutine field_table_address

   !> Find a value that is not a finite number among the fields of a role.
   subroutine field_table_find_nonfinite(self, role, name, column)
      class(field_table_type), intent(in) :: self
      integer, intent(in) :: role                        !! one of the roles above
      character(len=:), allocatable, intent(out) :: name !! field of the first such value; empty if there is none
      integer, intent(out) :: column                     !! its column; 0 if there is none
      integer :: index, k
      name = ""
      column = 0
      do index = 1, self%nfield
         if (self%fields(index)%role /= role) cycle
         associate (values => self%fields(index)%values)
            do k = 1, size(values, 2)
               if (all(ieee_is_finite(values(:, k)))) cycle
               name = trim(self%fields(index)%name)
               column = findloc(ieee_is_finite(values(:, k)), .false., dim=1)
               return
            end do
         end associate
      end do
   end subroutine field_table_find_nonfinite

end module pl_field_table
