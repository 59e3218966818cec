!> Facade: the distributed subsurface.
!>
!> Fields of cells have a rim of one column and are (nx + 2, nz, ny + 2) here; those of columns (nx + 2, ny + 2).
module pl_api_flow
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc
   use pl_error, only: error_input, error_state, error_type, raise_error, report
   use pl_flow_exchange, only: create_exchange
   use pl_flow_faces, only: build_ground_faces, build_overland_faces
   use pl_flow_model, only: create_flow_model, flow_model_type
   use pl_flow_soil, only: create_flow_soil, evaluate_cells
   use pl_flow_step, only: advance_flow, load_member
   use pl_flow_system, only: evaluate, sum_water
   use pl_flow_water, only: create_ice, follow_water, liquid_water
   use pl_kinds, only: lk, rk
   implicit none (type, external)
   private
   public :: flow_advance, flow_create, flow_evaluate, flow_field, flow_handle, flow_set_boundaries, flow_set_boundary_values
   public :: flow_set_ice, flow_set_options, flow_set_ground, flow_set_overland, flow_set_ranks, flow_set_soil
   public :: flow_follow_water, flow_water

   !> Owner of the Fortran memory of a distributed subsurface.
   type :: flow_handle
      integer :: nx = 0 !! columns from west to east of this rank [1]
      type(flow_model_type) :: model
   end type flow_handle

contains

   !> Allocate the fields of a fresh handle.
   subroutine flow_create(self, nx, ny, nmember, dx, dy, dz, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: nx      !! columns from west to east [1]
      integer, intent(in) :: ny      !! columns from south to north [1]
      integer, intent(in) :: nmember !! states [1]
      real(rk), intent(in) :: dx     !! [m]
      real(rk), intent(in) :: dy     !! [m]
      real(rk), intent(in) :: dz(:)  !! thickness of the layers from the top [m]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_flow_model(self%model, nx, ny, size(dz), nmember, dx, dy, dz, error)
      self%nx = self%model%nx
      call report(error, ierr, errmsg)
   end subroutine flow_create

   !> Choose schemes and tolerances.
   subroutine flow_set_options(self, overland, follows_terrain, slope_floor, ponding_depth, tolerance, max_iterations, &
                               max_krylov, max_restarts, min_step, max_step, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: overland        !! 0 none, 1 kinematic, 2 diffusive
      integer, intent(in) :: follows_terrain !! 1: slopes enter lateral flow of the ground
      real(rk), intent(in) :: slope_floor    !! [1]
      real(rk), intent(in) :: ponding_depth  !! [m]
      real(rk), intent(in) :: tolerance      !! [m]
      integer, intent(in) :: max_iterations  !! [1]
      integer, intent(in) :: max_krylov      !! [1]
      integer, intent(in) :: max_restarts    !! [1]
      real(rk), intent(in) :: min_step       !! [s]
      real(rk), intent(in) :: max_step       !! [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (overland < 0 .or. overland > 2 .or. max_iterations < 1 .or. max_krylov < 1 .or. max_restarts < 1) then
         call raise_error(error, error_input, "flow: overland must be 0, 1 or 2, numbers of iterations positive")
      else if (.not. (slope_floor > 0.0_rk .and. ponding_depth >= 0.0_rk .and. tolerance > 0.0_rk .and. &
                      min_step > 0.0_rk .and. max_step >= min_step)) then
         call raise_error(error, error_input, "flow: slope_floor, tolerance and min_step must be positive, max_step at "// &
                          "least min_step, ponding_depth not negative")
      else
         self%model%options%overland = overland
         self%model%options%follows_terrain = follows_terrain /= 0
         self%model%options%slope_floor = slope_floor
         self%model%options%ponding_depth = ponding_depth
         self%model%options%tolerance = tolerance
         self%model%options%max_iterations = max_iterations
         self%model%options%max_krylov = max_krylov
         self%model%options%max_restarts = max_restarts
         self%model%options%min_step = min_step
         self%model%options%max_step = max_step
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_options

   !> Name the neighbours of this rank.
   subroutine flow_set_ranks(self, comm, tiles, neighbours, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: comm          !! Fortran handle of the communicator; not read without neighbours
      integer, intent(in) :: tiles(:)      !! (2) ranks from west to east and from south to north [1]
      integer, intent(in) :: neighbours(:) !! (4) ranks in the west, east, south and north, -1 for none
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call create_exchange(self%model%exchange, comm, tiles, neighbours, self%model%nz*max(self%model%nx, self%model%ny), error)
      call report(error, ierr, errmsg)
   end subroutine flow_set_ranks

   !> Enter soil classes, the class of every cell, and which columns exist.
   subroutine flow_set_soil(self, retention, air_entry, air_dry_head, classes, class, exists, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: retention        !! 1 van Genuchten, 2 Clapp-Hornberger, 3 Gardner
      real(rk), intent(in) :: air_entry       !! [m]
      real(rk), intent(in) :: air_dry_head    !! [m]
      real(rk), intent(in) :: classes(:, :)   !! (class, 5): porosity, residual water, scale, shape, specific storage
      integer, intent(in) :: class(:, :, :)   !! from 1; one more than classes: the cell does not exist
      real(rk), intent(in) :: exists(:, :)    !! 1 for columns of the domain
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (any(shape(class) /= shape(self%model%class)) .or. any(shape(exists) /= shape(self%model%exists))) then
         call raise_error(error, error_input, "flow: class must be (nx + 2, nz, ny + 2), exists (nx + 2, ny + 2)")
      else if (any(class < 1) .or. any(class > size(classes, 1) + 1)) then
         call raise_error(error, error_input, "flow: a cell names a soil class that does not exist")
      else
         call create_flow_soil(self%model%soil, retention, air_entry, air_dry_head, classes, error)
         self%model%class = class
         self%model%is_evaluated = .false.
         self%model%exists = exists
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_soil

   !> Enter conductivities and slopes and build the faces of the ground.
   subroutine flow_set_ground(self, conductivity_x, conductivity_y, conductivity_z, barrier_x, barrier_y, barrier_z, slope_x, &
                              slope_y, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      real(rk), intent(in) :: conductivity_x(:, :, :) !! at saturation [m s-1]
      real(rk), intent(in) :: conductivity_y(:, :, :) !! at saturation [m s-1]
      real(rk), intent(in) :: conductivity_z(:, :, :) !! at saturation [m s-1]
      real(rk), intent(in) :: barrier_x(:, :, :)      !! factor of the face in the east [1]
      real(rk), intent(in) :: barrier_y(:, :, :)      !! factor of the face in the north [1]
      real(rk), intent(in) :: barrier_z(:, :, :)      !! factor of the face below [1]
      real(rk), intent(in) :: slope_x(:, :)           !! of the terrain, positive uphill to the east [1]
      real(rk), intent(in) :: slope_y(:, :)           !! of the terrain, positive uphill to the north [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: cells(3), columns(2)
      cells = shape(self%model%class)
      columns = shape(self%model%exists)
      if (any(shape(conductivity_x) /= cells) .or. any(shape(conductivity_y) /= cells) .or. &
          any(shape(conductivity_z) /= cells) .or. any(shape(barrier_x) /= cells) .or. any(shape(barrier_y) /= cells) .or. &
          any(shape(barrier_z) /= cells) .or. any(shape(slope_x) /= columns) .or. any(shape(slope_y) /= columns)) then
         call raise_error(error, error_input, "flow: conductivities and barriers must be (nx + 2, nz, ny + 2), slopes "// &
                          "(nx + 2, ny + 2)")
      else if (.not. (all(ieee_is_finite(conductivity_x)) .and. all(ieee_is_finite(conductivity_y)) .and. &
                      all(ieee_is_finite(conductivity_z)) .and. all(ieee_is_finite(barrier_x)) .and. &
                      all(ieee_is_finite(barrier_y)) .and. all(ieee_is_finite(barrier_z)) .and. &
                      all(ieee_is_finite(slope_x)) .and. all(ieee_is_finite(slope_y)))) then
         call raise_error(error, error_input, "flow: conductivities, barriers and slopes must be finite numbers")
      else
         self%model%slope_x = slope_x
         self%model%slope_y = slope_y
         call build_ground_faces(self%model, conductivity_x, conductivity_y, conductivity_z, barrier_x, barrier_y, barrier_z)
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_ground

   !> Enter slopes and roughness of the faces of overland flow; after the soil.
   subroutine flow_set_overland(self, bed_x, bed_y, along_x, along_y, manning_x, manning_y, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      real(rk), intent(in) :: bed_x(:, :)     !! slope across faces in x (nx + 1, ny) [1]
      real(rk), intent(in) :: bed_y(:, :)     !! slope across faces in y (nx, ny + 1) [1]
      real(rk), intent(in) :: along_x(:, :)   !! slope along them, like bed_x [1]
      real(rk), intent(in) :: along_y(:, :)   !! slope along them, like bed_y [1]
      real(rk), intent(in) :: manning_x(:, :) !! like bed_x [s m-1/3]
      real(rk), intent(in) :: manning_y(:, :) !! like bed_y [s m-1/3]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: in_x(2), in_y(2)
      in_x = shape(self%model%bed_x)
      in_y = shape(self%model%bed_y)
      if (any(shape(bed_x) /= in_x) .or. any(shape(along_x) /= in_x) .or. any(shape(manning_x) /= in_x) .or. &
          any(shape(bed_y) /= in_y) .or. any(shape(along_y) /= in_y) .or. any(shape(manning_y) /= in_y)) then
         call raise_error(error, error_input, "flow: slopes and manning of faces must be (nx + 1, ny) and (nx, ny + 1)")
      else if (.not. (all(ieee_is_finite(bed_x)) .and. all(ieee_is_finite(along_x)) .and. all(ieee_is_finite(manning_x)) .and. &
                      all(ieee_is_finite(bed_y)) .and. all(ieee_is_finite(along_y)) .and. all(ieee_is_finite(manning_y)))) then
         call raise_error(error, error_input, "flow: slopes and manning must be finite numbers")
      else if (.not. (all(manning_x > 0.0_rk) .and. all(manning_y > 0.0_rk))) then
         call raise_error(error, error_input, "flow: manning must be positive [s m-1/3]")
      else
         self%model%bed_x(:, :) = bed_x
         self%model%bed_y(:, :) = bed_y
         call build_overland_faces(self%model, along_x, along_y, manning_x, manning_y)
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_overland

   !> Enter the faces to the outside with a condition, sorted by row.
   subroutine flow_set_boundaries(self, row, column, layer, kind, conductance, lift, pond, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: row(:)            !! y index of the cell, ascending
      integer, intent(in) :: column(:)         !! x index of the cell
      integer, intent(in) :: layer(:)          !! z index of the cell
      integer, intent(in) :: kind(:)           !! 1 head, 2 flux, 3 drainage, 4 seepage
      real(rk), intent(in) :: conductance(:)   !! saturated, per area of the column [s-1], for drainage [m s-1]
      real(rk), intent(in) :: lift(:)          !! elevation of the face above the node [m]
      real(rk), intent(in) :: pond(:, :)       !! (nx, ny) 1 where water can stand on the surface
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: j, n
      n = size(row)
      if (any([size(column), size(layer), size(kind), size(conductance), size(lift)] /= n) .or. &
          any(shape(pond) /= shape(self%model%pond))) then
         call raise_error(error, error_input, "flow: lists of boundary faces must have one length, pond (nx, ny)")
      else if (any(row < 1) .or. any(row > self%model%ny) .or. any(column < 1) .or. any(column > self%model%nx) .or. &
               any(layer < 1) .or. any(layer > self%model%nz) .or. any(row(2:) < row(:n - 1))) then
         call raise_error(error, error_input, "flow: boundary faces must belong to cells and be sorted by row")
      else
         associate (faces => self%model%faces)
            faces%count = n
            faces%column = column
            faces%layer = layer
            faces%kind = kind
            faces%conductance = conductance
            faces%lift = lift
            if (allocated(faces%value)) deallocate (faces%value, faces%relative, faces%inflow, faces%volume)
            allocate (faces%value(n), faces%relative(n), faces%inflow(n), faces%volume(n), source=0.0_rk)
            if (allocated(faces%first)) deallocate (faces%first)
            allocate (faces%first(self%model%ny + 1))
            do j = 1, self%model%ny + 1
               faces%first(j) = count(row < j) + 1
            end do
         end associate
         self%model%pond = pond
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_boundaries

   !> Set what holds at the boundary faces.
   subroutine flow_set_boundary_values(self, values, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      real(rk), intent(in) :: values(:) !! heads [m] or inflows [m s-1], in the order of the faces
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer, allocatable :: class(:)
      real(rk), allocatable :: storage(:), capacity(:), slope(:)
      integer :: f, j
      if (size(values) /= self%model%faces%count) then
         call raise_error(error, error_input, "flow: expected one value per boundary face")
      else if (.not. all(ieee_is_finite(values))) then
         call raise_error(error, error_input, "flow: a boundary value is NaN or infinite")
      else if (size(values) > 0) then
         associate (faces => self%model%faces)
            allocate (class(faces%count), storage(faces%count), capacity(faces%count), slope(faces%count))
            do j = 1, self%model%ny
               do f = faces%first(j), faces%first(j + 1) - 1
                  class(f) = self%model%class(faces%column(f), faces%layer(f), j)
               end do
            end do
            faces%value = values
            call evaluate_cells(self%model%soil, faces%count, class, values, .false., values, storage, capacity, &
                                faces%relative, slope)
         end associate
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_boundary_values

   !> Set the ice of all cells.
   subroutine flow_set_ice(self, ice, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      real(rk), intent(in) :: ice(:, :, :) !! as volume of liquid water [m3 m-3]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: member
      if (any(shape(ice) /= shape(self%model%class))) then
         call raise_error(error, error_input, "flow: ice must be (nx + 2, nz, ny + 2)")
      else if (.not. all(ieee_is_finite(ice))) then
         call raise_error(error, error_input, "flow: ice must be finite")
      else if (any(ice < 0.0_rk)) then
         call raise_error(error, error_input, "flow: ice must not be negative")
      else
         call create_ice(self%model, error)
         if (.not. allocated(error)) then
            do member = 1, self%model%nmember
               self%model%ices(:, :, :, member) = ice
            end do
            self%model%is_evaluated = .false.
         end if
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_set_ice

   !> Address and extents of a field by name, for a view without copy.
   subroutine flow_field(self, name, address, extents, ierr, errmsg)
      type(flow_handle), intent(in), target :: self
      character(len=*), intent(in) :: name     !! see below
      integer(lk), intent(out) :: address      !! of the first value
      integer, intent(out) :: extents(4)       !! 1 for missing ones
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      extents = 1
      address = 0_lk
      associate (model => self%model)
         select case (trim(name))
         case ("heads")
            call show(shape(model%heads), model%heads)
         case ("ices")
            if (model%has_ice) call show(shape(model%ices), model%ices)
         case ("storage")
            call show(shape(model%storage), model%storage)
         case ("residual")
            call show(shape(model%residual), model%residual)
         case ("source")
            call show(shape(model%source), model%source)
         case ("volume_source")
            call show(shape(model%volume_source), model%volume_source)
         case ("rain")
            call show(shape(model%rain), model%rain)
         case ("volume_rain")
            call show(shape(model%volume_rain), model%volume_rain)
         case ("volume_rim")
            call show(shape(model%volume_rim), model%volume_rim)
         case ("volume_spread")
            call show(shape(model%volume_spread), model%volume_spread)
         case ("volume_runoff")
            call show(shape(model%volume_runoff), model%volume_runoff)
         case ("volume_faces")
            if (model%faces%count > 0) call show(shape(model%faces%volume), model%faces%volume)
         case default
            call raise_error(error, error_input, "flow: no field '"//trim(name)//"'")
         end select
      end associate
      call report(error, ierr, errmsg)
   contains
      !> Address and extents of one.
      subroutine show(extent, array)
         integer, intent(in) :: extent(:)
         real(rk), intent(in), target :: array(product(extent))
         address = int(transfer(c_loc(array), 0_c_intptr_t), lk)
         extents(:size(extent)) = extent
      end subroutine show
   end subroutine flow_field

   !> Advance one member; what passed is in the volumes.
   subroutine flow_advance(self, member, period, steps, newton, krylov, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: member  !! from 1 [1]
      real(rk), intent(in) :: period !! [s]
      integer, intent(out) :: steps  !! [1]
      integer, intent(out) :: newton !! iterations [1]
      integer, intent(out) :: krylov !! iterations [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      steps = 0
      newton = 0
      krylov = 0
      if (member < 1 .or. member > self%model%nmember) then
         call raise_error(error, error_input, "flow: no such member")
      else if (.not. ieee_is_finite(period)) then
         call raise_error(error, error_input, "flow: the time step must be a number")
      else if (period <= 0.0_rk) then
         call raise_error(error, error_input, "flow: the time step must be positive")
      else if (.not. (all(ieee_is_finite(self%model%source)) .and. all(ieee_is_finite(self%model%rain)))) then
         call raise_error(error, error_input, "flow: source or rain holds NaN or infinity")
      else if (.not. all(ieee_is_finite(self%model%heads(:, :, :, member)))) then
         call raise_error(error, error_state, "flow: pressure head holds NaN or infinity")
      else
         call advance_flow(self%model, member, period, error)
         steps = self%model%steps
         newton = self%model%newton
         krylov = self%model%krylov
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_advance

   !> Storage of all cells of one member, and the water in and on the ground.
   subroutine flow_evaluate(self, member, ground, surface, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: member    !! from 1 [1]
      real(rk), intent(out) :: ground  !! of this rank, as depth on a column, summed over columns [m]
      real(rk), intent(out) :: surface !! the same of ponds [m]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      ground = 0.0_rk
      surface = 0.0_rk
      if (member < 1 .or. member > self%model%nmember) then
         call raise_error(error, error_input, "flow: no such member")
      else
         call load_member(self%model, member)
         call evaluate(self%model)
         call sum_water(self%model, ground, surface)
      end if
      call report(error, ierr, errmsg)
   end subroutine flow_evaluate

   !> Liquid water of one member, without what compression adds; all ranks together.
   subroutine flow_water(self, member, water, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: member               !! from 1 [1]
      real(rk), intent(inout) :: water(:, :, :)   !! (nx, nz, ny) [m3 m-3]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(self, member, shape(water), error)
      if (.not. allocated(error)) call liquid_water(self%model, member, water)
      call report(error, ierr, errmsg)
   end subroutine flow_water

   !> Heads of one member follow its liquid water where that is to be another; all ranks together.
   subroutine flow_follow_water(self, member, water, ierr, errmsg)
      type(flow_handle), intent(inout) :: self
      integer, intent(in) :: member           !! from 1 [1]
      real(rk), intent(in) :: water(:, :, :)  !! (nx, nz, ny) [m3 m-3]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      call check_member(self, member, shape(water), error)
      if (.not. allocated(error)) call follow_water(self%model, member, water)
      call report(error, ierr, errmsg)
   end subroutine flow_follow_water

   !> There must be such a member, and a field must have the cells of the tile.
   subroutine check_member(self, member, cells, error)
      type(flow_handle), intent(in) :: self
      integer, intent(in) :: member   !! from 1 [1]
      integer, intent(in) :: cells(3) !! extents of the field
      type(error_type), allocatable, intent(out) :: error
      if (member < 1 .or. member > self%model%nmember) then
         call raise_error(error, error_input, "flow: no such member")
      else if (any(cells /= [self%model%nx, self%model%nz, self%model%ny])) then
         call raise_error(error, error_input, "flow: water must be (nx, nz, ny)")
      end if
   end subroutine check_member

end module pl_api_flow
