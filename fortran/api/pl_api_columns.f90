!> Facade: create, reach and advance coupled land and soil-water columns.
module pl_api_columns
   use pl_column_model, only: column_model_type, create_column_model
   use pl_column_step, only: column_model_reconcile, column_model_step
   use pl_error, only: error_type, report
   use pl_kinds, only: lk, rk
   implicit none (type, external)
   private
   public :: columns_create, columns_field, columns_field_count, columns_handle, columns_reconcile
   public :: columns_set_land_options, columns_set_water_options, columns_step

   !> Owner of the Fortran memory of a set of columns.
   type :: columns_handle
      integer :: ncolumn = 0 !! columns, members included [1]
      type(column_model_type) :: model
   end type columns_handle

contains

   !> Allocate the columns of a fresh handle.
   subroutine columns_create(self, ncolumn, nlayer, nthermal, npatch, ierr, errmsg)
      type(columns_handle), intent(inout), target :: self
      integer, intent(in) :: ncolumn  !! columns [1]
      integer, intent(in) :: nlayer   !! hydrological layers [1]
      integer, intent(in) :: nthermal !! thermal layers [1]
      integer, intent(in) :: npatch   !! patches per column [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_column_model(self%model, ncolumn, nlayer, nthermal, npatch, error)
      self%ncolumn = self%model%ncolumn
      call report(error, ierr, errmsg)
   end subroutine columns_create

   !> Number of fields.
   subroutine columns_field_count(self, nfield)
      type(columns_handle), intent(in) :: self
      integer, intent(out) :: nfield !! number of fields [1]
      nfield = self%model%table%nfield
   end subroutine columns_field_count

   !> Name, role, second extent and address of a field.
   subroutine columns_field(self, index, name, role, nlayer, address, ierr, errmsg)
      type(columns_handle), intent(in) :: self
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
   end subroutine columns_field

   !> Choose the land schemes.
   subroutine columns_set_land_options(self, stomata, soil_evaporation, stability_limit, soil_roughness, &
                                       soil_emissivity, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(in) :: stomata           !! pl_land_chunk: stomata_*
      integer, intent(in) :: soil_evaporation  !! pl_land_chunk: evaporation_*
      real(rk), intent(in) :: stability_limit  !! largest zeta in stable air [1]
      real(rk), intent(in) :: soil_roughness   !! [m]
      real(rk), intent(in) :: soil_emissivity  !! [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      self%model%land_options%stomata = stomata
      self%model%land_options%soil_evaporation = soil_evaporation
      self%model%land_options%stability_limit = stability_limit
      self%model%land_options%soil_roughness = soil_roughness
      self%model%land_options%soil_emissivity = soil_emissivity
      ierr = 0
      errmsg = ""
   end subroutine columns_set_land_options

   !> Advance all columns by one step.
   subroutine columns_step(self, dt, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      real(rk), intent(in) :: dt !! time step [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_step(self%model, dt, error)
      call report(error, ierr, errmsg)
   end subroutine columns_step

   !> Make pressure heads consistent with soil water that was changed from outside.
   subroutine columns_reconcile(self, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_reconcile(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_reconcile

end module pl_api_columns
