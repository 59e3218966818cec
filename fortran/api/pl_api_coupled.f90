!> Facade: land columns over the distributed subsurface.
module pl_api_coupled
   use pl_api_columns, only: columns_handle
   use pl_api_flow, only: flow_handle
   use pl_coupled_model, only: coupled_model_type, create_coupled_model
   use pl_coupled_step, only: begin_coupled_step, end_coupled_step
   use pl_coupled_water, only: send_ice, send_water, settle_demand, show_water, spread_ice
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: coupled_begin, coupled_create, coupled_end, coupled_expect, coupled_handle, coupled_send_ice
   public :: coupled_spread_ice, coupled_send_water, coupled_settle, coupled_show_water

   !> Owner of the Fortran memory between land and subsurface.
   type :: coupled_handle
      integer :: ncell = 0 !! cells of this rank [1]
      type(coupled_model_type) :: model
   end type coupled_handle

contains

   !> Pair columns with a subsurface of the same cells and members.
   subroutine coupled_create(self, columns, flow, x, y, thickness, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(inout), target :: columns
      type(flow_handle), intent(in) :: flow
      integer, intent(in) :: x(:)          !! column of the subsurface of each cell, from 1
      integer, intent(in) :: y(:)          !! its row, from 1
      real(rk), intent(in) :: thickness(:) !! soil layers of the land [m]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_coupled_model(self%model, columns%model, flow%model, x, y, thickness, error)
      self%ncell = self%model%ncell
      call report(error, ierr, errmsg)
   end subroutine coupled_create

   !> Let the columns of a member see its water; all ranks together.
   subroutine coupled_show_water(self, columns, flow, member, ierr, errmsg)
      type(coupled_handle), intent(in) :: self
      type(columns_handle), intent(inout) :: columns
      type(flow_handle), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(flow, member, error)
      if (.not. allocated(error)) call show_water(self%model, columns%model, flow%model, member)
      call report(error, ierr, errmsg)
   end subroutine coupled_show_water

   !> Surface and roots see other water than that of the step's start, or no more.
   subroutine coupled_expect(columns, water, head, is_expected, ierr, errmsg)
      type(columns_handle), intent(inout) :: columns
      real(rk), intent(in) :: water(:, :)  !! (ncolumn, layer) [m3 m-3]
      real(rk), intent(in) :: head(:, :)   !! (ncolumn, layer) [m]
      integer, intent(in) :: is_expected   !! 1: they see this, 0: the water of the step's start
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (any(shape(water) /= shape(columns%model%water%soil_water)) .or. any(shape(head) /= shape(water))) then
         call raise_error(error, error_input, "coupling: expected water and head must be (ncolumn, layer)")
      else
         columns%model%expected_water = water
         columns%model%expected_head = head
         columns%model%has_expected_water = is_expected == 1
      end if
      call report(error, ierr, errmsg)
   end subroutine coupled_expect

   !> Land phase of all columns.
   subroutine coupled_begin(self, columns, dt, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(inout) :: columns
      real(rk), intent(in) :: dt !! [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call begin_coupled_step(self%model, columns%model, dt, error)
      call report(error, ierr, errmsg)
   end subroutine coupled_begin

   !> Spread the ice of the layers of all columns over their pieces, by pores; for ice that is set and has not grown.
   subroutine coupled_spread_ice(self, columns, flow, ierr, errmsg)
      type(coupled_handle), intent(in) :: self
      type(columns_handle), intent(inout) :: columns
      type(flow_handle), intent(in) :: flow
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call spread_ice(self%model, columns%model, flow%model)
      call report(error, ierr, errmsg)
   end subroutine coupled_spread_ice

   !> Hand down the ice of a member; all ranks together.
   subroutine coupled_send_ice(self, columns, flow, member, has_grown, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(inout) :: columns
      type(flow_handle), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      integer, intent(in) :: has_grown !! 1: with the heat of the layers; 0: the pieces are as they are set
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(flow, member, error)
      if (.not. allocated(error)) call send_ice(self%model, columns%model, flow%model, member, has_grown == 1, error)
      call report(error, ierr, errmsg)
   end subroutine coupled_send_ice

   !> Enter rain, evaporation and uptake of a member as what the subsurface gets in its next step.
   subroutine coupled_send_water(self, columns, flow, member, dt, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(in) :: columns
      type(flow_handle), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(flow, member, error)
      if (.not. allocated(error)) call send_water(self%model, columns%model, flow%model, member, dt)
      call report(error, ierr, errmsg)
   end subroutine coupled_send_water

   !> Take what the subsurface could not give a member; after its water was shown.
   subroutine coupled_settle(self, columns, flow, member, dt, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(in) :: columns
      type(flow_handle), intent(in) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(flow, member, error)
      if (.not. allocated(error)) call settle_demand(self%model, columns%model, flow%model, member, dt)
      call report(error, ierr, errmsg)
   end subroutine coupled_settle

   !> End of the step of all columns.
   subroutine coupled_end(self, columns, dt, ierr, errmsg)
      type(coupled_handle), intent(inout) :: self
      type(columns_handle), intent(inout) :: columns
      real(rk), intent(in) :: dt !! [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call end_coupled_step(self%model, columns%model, dt, error)
      call report(error, ierr, errmsg)
   end subroutine coupled_end

   !> There must be such a member.
   subroutine check_member(flow, member, error)
      type(flow_handle), intent(in) :: flow
      integer, intent(in) :: member !! from 1 [1]
      type(error_type), allocatable, intent(out) :: error
      if (member < 1 .or. member > flow%model%nmember) call raise_error(error, error_input, "coupling: no such member")
   end subroutine check_member

end module pl_api_coupled
