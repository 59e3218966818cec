!> Facade: create, reach and advance coupled land and soil-water columns.
module pl_api_columns
   use pl_column_carbon, only: column_model_balance_carbon, column_model_set_carbon, column_model_start_carbon_sums
   use pl_column_irrigation, only: column_model_irrigate
   use pl_column_model, only: column_model_type, create_column_model
   use pl_column_step, only: column_model_step
   use pl_column_water, only: column_model_fill, column_model_reconcile, column_model_store_water
   use pl_column_prepare, only: prepare_columns
   use pl_error, only: error_type, report
   use pl_kinds, only: lk, rk
   use pl_land_options, only: set_land_option
   implicit none (type, external)
   private
   public :: columns_create, columns_field, columns_field_count, columns_handle, columns_reconcile
   public :: columns_prepare, columns_set_land_option, columns_set_water_options, columns_step, columns_store_water
   public :: columns_fill_water, columns_prescribe_water
   public :: columns_balance_carbon, columns_irrigate, columns_set_carbon, columns_start_carbon_sums

   !> Owner of the Fortran memory of a set of columns.
   type :: columns_handle
      integer :: ncolumn = 0 !! columns, members included [1]
      type(column_model_type) :: model
   end type columns_handle

contains

   !> Allocate the columns of a fresh handle.
   subroutine columns_create(self, ncolumn, nlayer, nthermal, npatch, nsnow, ierr, errmsg)
      type(columns_handle), intent(inout), target :: self
      integer, intent(in) :: ncolumn  !! columns [1]
      integer, intent(in) :: nlayer   !! hydrological layers [1]
      integer, intent(in) :: nthermal !! thermal layers [1]
      integer, intent(in) :: npatch   !! patches per column [1]
      integer, intent(in) :: nsnow    !! snow layers that may exist [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_column_model(self%model, ncolumn, nlayer, nthermal, npatch, nsnow, error)
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

   !> Set one choice of the land schemes by the name of its member in land_options_type.
   subroutine columns_set_land_option(self, name, value, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      character(len=*), intent(in) :: name  !! of the option
      real(rk), intent(in) :: value         !! number of a scheme (pl_land_chunk) or value in the option's unit
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call set_land_option(self%model%land_options, trim(name), value, error)
      self%model%is_prepared = .false.
      call report(error, ierr, errmsg)
   end subroutine columns_set_land_option

   !> Choose the treatment of soil water.
   subroutine columns_set_water_options(self, retention, lower_boundary, air_entry, water_table_depth, ponding_depth, &
                                        tolerance, largest_iteration, smallest_step, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(in) :: retention          !! pl_soil_hydraulics: retention_*
      integer, intent(in) :: lower_boundary     !! pl_richards_column: boundary_*
      real(rk), intent(in) :: air_entry         !! air-entry head of van Genuchten soils [m]
      real(rk), intent(in) :: water_table_depth !! of a fixed water table [m]
      real(rk), intent(in) :: ponding_depth     !! [m]
      real(rk), intent(in) :: tolerance         !! largest imbalance of a layer in a sub-step [m]
      integer, intent(in) :: largest_iteration  !! Newton iterations of a sub-step [1]
      real(rk), intent(in) :: smallest_step     !! smallest sub-step [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      self%model%retention = retention
      self%model%water_options%lower_boundary = lower_boundary
      self%model%air_entry = air_entry
      self%model%water_options%water_table_depth = water_table_depth
      self%model%water_options%ponding_depth = ponding_depth
      self%model%water_options%tolerance = tolerance
      self%model%water_options%max_iterations = largest_iteration
      self%model%water_options%min_step = smallest_step
      self%model%is_prepared = .false.
      ierr = 0
      errmsg = ""
   end subroutine columns_set_water_options

   !> Choose whether soil water is solved or stays as it is set.
   subroutine columns_prescribe_water(self, is_prescribed, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(in) :: is_prescribed !! 1: soil, ponded water and heads stay as they are set; 0: they are solved
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      self%model%has_soil_water = is_prescribed == 0
      ierr = 0
      errmsg = ""
   end subroutine columns_prescribe_water

   !> Check the parameters and derive what does not change in time; needed after parameters or options were set.
   subroutine columns_prepare(self, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call prepare_columns(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_prepare

   !> Set soil water from the pressure heads.
   subroutine columns_fill_water(self, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_fill(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_fill_water

   !> Bring the field `land_water` up to date after the state was changed from outside.
   subroutine columns_store_water(self, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_store_water(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_store_water

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

   !> Choose how carbon is computed; creates its fields where it is computed for the first time.
   subroutine columns_set_carbon(self, scheme, fluorescence_yield, ierr, errmsg)
      type(columns_handle), intent(inout), target :: self
      integer, intent(in) :: scheme              !! pl_carbon_step: carbon_*
      real(rk), intent(in) :: fluorescence_yield !! [W m-2 um-1 sr-1 / (kg m-2 s-1)]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_set_carbon(self%model, scheme, fluorescence_yield, error)
      call report(error, ierr, errmsg)
   end subroutine columns_set_carbon

   !> Begin the means of production and decay that the equilibrium of the pools needs.
   subroutine columns_start_carbon_sums(self, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_start_carbon_sums(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_start_carbon_sums

   !> Set all carbon pools to their equilibrium with these means.
   subroutine columns_balance_carbon(self, sink, ierr, errmsg)
      type(columns_handle), intent(inout) :: self
      real(rk), intent(in) :: sink !! share of the net primary production that the ecosystem keeps [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_balance_carbon(self%model, sink, error)
      call report(error, ierr, errmsg)
   end subroutine columns_balance_carbon

   !> Create the fields of irrigation.
   subroutine columns_irrigate(self, ierr, errmsg)
      type(columns_handle), intent(inout), target :: self
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call column_model_irrigate(self%model, error)
      call report(error, ierr, errmsg)
   end subroutine columns_irrigate

end module pl_api_columns
