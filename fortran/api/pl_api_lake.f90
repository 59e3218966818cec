!> Facade: create, reach and advance lakes.
module pl_api_lake
   use pl_error, only: error_type, report
   use pl_kinds, only: lk, rk
   use pl_lake_model, only: check_lakes, create_lake_model, lake_model_step, lake_model_type
   implicit none (type, external)
   private
   public :: lakes_check, lakes_create, lakes_field, lakes_field_count, lakes_handle, lakes_step

   !> Owner of the Fortran memory of a set of lakes.
   type :: lakes_handle
      integer :: ncolumn = 0 !! lakes, members included [1]
      type(lake_model_type) :: model
   end type lakes_handle

contains

   !> Allocate the lakes of a fresh handle.
   subroutine lakes_create(self, ncolumn, stability_limit, ierr, errmsg)
      type(lakes_handle), intent(inout), target :: self
      integer, intent(in) :: ncolumn          !! lakes, members included [1]
      real(rk), intent(in) :: stability_limit !! largest zeta in stable air [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_lake_model(self%model, ncolumn, error)
      self%ncolumn = self%model%ncolumn
      self%model%stability_limit = stability_limit
      call report(error, ierr, errmsg)
   end subroutine lakes_create

   !> Number of fields.
   subroutine lakes_field_count(self, nfield)
      type(lakes_handle), intent(in) :: self
      integer, intent(out) :: nfield !! number of fields [1]
      nfield = self%model%table%nfield
   end subroutine lakes_field_count

   !> Name, role, second extent and address of a field.
   subroutine lakes_field(self, index, name, role, nlayer, address, ierr, errmsg)
      type(lakes_handle), intent(in) :: self
      integer, intent(in) :: index           !! 1 to the number of fields
      character(len=48), intent(out) :: name !! identifier of the registry
      integer, intent(out) :: role           !! 1 state, 2 parameter, 3 forcing, 4 flux
      integer, intent(out) :: nlayer         !! second extent [1]
      integer(lk), intent(out) :: address    !! of the first value
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call self%model%table%address(index, name, role, nlayer, address, error)
      call report(error, ierr, errmsg)
   end subroutine lakes_field

   !> Check the parameters; needed after they were set.
   subroutine lakes_check(self, ierr, errmsg)
      type(lakes_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_lakes(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine lakes_check

   !> Advance all lakes by one step.
   subroutine lakes_step(self, dt, ierr, errmsg)
      type(lakes_handle), intent(inout) :: self
      real(rk), intent(in) :: dt !! time step [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call lake_model_step(self%model, dt, error)
      call report(error, ierr, errmsg)
   end subroutine lakes_step

end module pl_api_lake
