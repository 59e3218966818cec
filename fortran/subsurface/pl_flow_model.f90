!> The distributed subsurface: its fields and their creation.
!>
!> Terrain-following layers over a rectangle of columns with a rim of one column. Fields are (0:nx+1, nz, 0:ny+1), x
!> first: a row of columns is contiguous and stays in cache through residual, Jacobian and line solve. Layer 1 is the top.
!> Water is counted as depth [m] on the area of a column.
module pl_flow_model
   use, intrinsic :: iso_fortran_env, only: int8
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_flow_exchange, only: flow_exchange_type
   use pl_flow_soil, only: flow_soil_type
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: allocate_level, allocate_sweeps, create_flow_model
   public :: cells_per_thread, boundary_faces_type, flow_level_type, flow_model_type, flow_options_type
   public :: kind_drainage, kind_flux, kind_head, kind_seepage

   integer, parameter :: cells_per_thread = 8192 !! below it, waking a thread takes longer than its work [1]
   integer, parameter :: kind_head = 1     !! head held at the face
   integer, parameter :: kind_flux = 2     !! water let in at a rate
   integer, parameter :: kind_drainage = 3 !! unit gradient, out of the base
   integer, parameter :: kind_seepage = 4  !! water leaves where the head of the cell is positive

   !> Choices and tolerances.
   type :: flow_options_type
      integer :: overland = 0                   !! pl_flow_overland: overland_*
      logical :: follows_terrain = .true.       !! slopes enter the lateral fluxes of the ground
      real(rk) :: slope_floor = 1.0e-5_rk       !! least slope of overland flow [1]
      real(rk) :: ponding_depth = 0.0_rk        !! without overland flow, water above runs off [m]
      real(rk) :: tolerance = 1.0e-9_rk         !! largest residual of a cell [m]
      integer :: max_iterations = 40            !! of Newton's method in a step [1]
      integer :: max_krylov = 30                !! vectors before GMRES restarts [1]
      integer :: max_restarts = 4               !! cycles of GMRES in a Newton iteration [1]
      real(rk) :: min_step = 1.0_rk             !! shortest step before the run stops [s]
      real(rk) :: max_step = huge(1.0_rk)       !! longest step [s]
   end type flow_options_type

   !> Faces to the outside with a condition, sorted by row.
   type :: boundary_faces_type
      integer :: count = 0                       !! faces [1]
      integer, allocatable :: first(:)           !! (ny + 1) first face of each row
      integer, allocatable :: column(:)          !! x index of the cell
      integer, allocatable :: layer(:)           !! z index of the cell
      integer, allocatable :: kind(:)            !! kind_*
      real(rk), allocatable :: conductance(:)    !! saturated, per area of the column [s-1], for drainage [m s-1]
      real(rk), allocatable :: lift(:)           !! elevation of the face above the node [m]
      real(rk), allocatable :: value(:)          !! head at the face [m] or inflow [m s-1]
      real(rk), allocatable :: relative(:)       !! relative conductivity at that head [1]
      real(rk), allocatable :: inflow(:)         !! through the face at the last evaluation [m s-1]
      real(rk), allocatable :: volume(:)         !! through the face in the last step asked for [m]
   end type boundary_faces_type

   !> Linear system of a grid: coefficients of a cell and its neighbours, in the rows of the Jacobian.
   type :: flow_level_type
      integer :: nx = 0, ny = 0, nz = 0
      real(rk), allocatable, dimension(:, :, :) :: centre, west, east, south, north, up, down !! (nx, nz, ny)
      real(rk), allocatable, dimension(:, :, :) :: pivot         !! inverse, columns eliminated from the base up (nx, nz, ny)
      real(rk), allocatable, dimension(:, :, :) :: x             !! solution (0:nx+1, nz, 0:ny+1)
      real(rk), allocatable, dimension(:, :, :) :: r             !! right-hand side and what is left of it (nx, nz, ny)
      real(rk), allocatable, dimension(:, :, :) :: kept          !! solution before a sweep, like x
   end type flow_level_type

   !> One model.
   type :: flow_model_type
      integer :: nx = 0 !! columns from west to east [1]
      integer :: ny = 0 !! columns from south to north [1]
      integer :: nz = 0 !! layers from the top [1]
      integer :: nmember = 0 !! states [1]
      real(rk) :: dx = 0.0_rk !! [m]
      real(rk) :: dy = 0.0_rk !! [m]
      real(rk), allocatable :: dz(:)    !! thickness [m]
      real(rk), allocatable :: drop(:)  !! from a node to the one below [m]
      type(flow_options_type) :: options
      type(flow_soil_type) :: soil
      type(flow_exchange_type) :: exchange
      ! what the cells are
      integer, allocatable :: class(:, :, :)            !! of soil (0:nx+1, nz, 0:ny+1)
      logical :: has_ice = .false.                      !! whether `ice` is used
      real(rk), allocatable :: ices(:, :, :, :)         !! of every member, like heads [m3 m-3]
      real(rk), allocatable :: impedance(:, :, :)       !! factor of that ice on the conductivity, like head [1]
      real(rk), allocatable :: ice(:, :, :)             !! of the member at work, as volume of liquid water, like head [m3 m-3]
      real(rk), allocatable :: exists(:, :)             !! 1 for columns of the domain (0:nx+1, 0:ny+1)
      real(rk), allocatable :: slope_x(:, :), slope_y(:, :) !! of the terrain (0:nx+1, 0:ny+1) [1]
      real(rk), allocatable :: pond(:, :)               !! 1 where water can stand, 0 where a head is held (nx, ny)
      ! faces
      real(rk), allocatable :: kx(:, :, :)              !! (0:nx, nz, ny) conductivity times thickness over dx [m s-1]
      real(rk), allocatable :: ky(:, :, :)              !! (nx, nz, 0:ny) the same to the north [m s-1]
      real(rk), allocatable :: kz(:, :, :)              !! (nx, nz, ny) to the layer below, over the distance [s-1]
      real(rk), allocatable :: cos_x(:, :), sin_x(:, :) !! (0:nx, ny) cosine over dx [m-1], sine [1]
      real(rk), allocatable :: cos_y(:, :), sin_y(:, :) !! (nx, 0:ny) cosine over dy [m-1], sine [1]
      real(rk), allocatable :: over_x(:, :)             !! (0:nx, ny) conveyance of overland flow over dx [m-2/3 s-1]
      real(rk), allocatable :: over_y(:, :)             !! (nx, 0:ny) the same to the north [m-2/3 s-1]
      real(rk), allocatable :: bed_x(:, :), bed_y(:, :) !! slopes of these faces, positive uphill [1]
      real(rk), allocatable :: drain(:, :)              !! outflow of a pond over depth**(5/3) (nx, ny) [m-2/3 s-1]
      real(rk), allocatable :: rim_x(:, :), rim_y(:, :) !! 1 for faces to the outside [1]
      real(rk), allocatable :: friction_x(:, :), friction_y(:, :) !! inverse root of the friction slope (diffusive) [1]
      type(boundary_faces_type) :: faces
      ! state
      real(rk), allocatable :: heads(:, :, :, :)        !! pressure head of every member (0:nx+1, nz, 0:ny+1, nmember) [m]
      real(rk), allocatable :: head(:, :, :)            !! of the member at work [m]
      real(rk), allocatable :: head_old(:, :, :)        !! at the start of the step [m]
      real(rk), allocatable, dimension(:, :, :) :: storage, capacity, relative, slope !! like head
      integer(int8), allocatable :: flips(:, :, :)      !! times that a cell has left saturation in the step, like head [1]
      real(rk), allocatable :: storage_old(:, :, :)     !! (nx, nz, ny) [m3 m-3]
      real(rk), allocatable :: pond_old(:, :)           !! (nx, ny) [m]
      logical :: is_evaluated = .false.                 !! storage and conductivities are those of `head`
      ! what comes in
      logical :: has_source = .false.                   !! whether any cell has one
      real(rk), allocatable :: source(:, :, :)          !! (nx, nz, ny) asked for [m s-1]
      real(rk), allocatable :: rain(:, :)               !! (nx, ny) negative: evaporation [m s-1]
      real(rk), allocatable :: met_source(:, :, :)      !! what the cells could give [m s-1]
      real(rk), allocatable :: met_rain(:, :)           !! [m s-1]
      real(rk), allocatable :: runoff(:, :)             !! water off the pond in the step, without overland flow (nx, ny) [m]
      real(rk), allocatable :: spread(:, :)             !! overland flow off a column less that onto it, like rim [m s-1]
      real(rk), allocatable :: rim(:, :)                !! overland flow out of the domain at the last evaluation [m s-1]
      ! the system
      real(rk), allocatable :: residual(:, :, :)        !! (nx, nz, ny) [m]
      type(flow_level_type) :: fine                     !! the Jacobian
      type(flow_level_type), allocatable :: coarse(:)   !! coarsened in x and y
      integer :: nlevel = 1                             !! levels in use, the finest counted [1]
      integer :: gathered = 0                           !! first coarse level that every rank holds whole; 0: none
      integer, allocatable :: widths(:), heights(:)     !! columns of the tiles on the level before, by their place [1]
      type(flow_exchange_type) :: alone                 !! of the levels that every rank holds whole
      real(rk), allocatable :: over(:, :, :)            !! (nx, ny, 4) share of overland flow in west, east, south, north
      integer, allocatable :: order(:, :)               !! x and y of the columns, downstream
      real(rk), allocatable :: basis(:, :, :, :)        !! (nx, nz, ny, vectors) of GMRES
      ! of the last step asked for
      real(rk), allocatable :: volume_source(:, :, :)   !! [m]
      real(rk), allocatable :: volume_rain(:, :)        !! [m]
      real(rk), allocatable :: volume_rim(:, :)         !! [m]
      real(rk), allocatable :: volume_spread(:, :)      !! [m]
      real(rk), allocatable :: volume_runoff(:, :)      !! [m]
      integer :: steps = 0                              !! [1]
      integer :: newton = 0                             !! iterations [1]
      integer :: krylov = 0                             !! iterations [1]
   end type flow_model_type

contains

   !> Allocate the fields of a model.
   subroutine create_flow_model(model, nx, ny, nz, nmember, dx, dy, dz, error)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: nx, ny, nz, nmember
      real(rk), intent(in) :: dx, dy !! [m]
      real(rk), intent(in) :: dz(:)  !! (nz) [m]
      type(error_type), allocatable, intent(out) :: error !! sizes out of range, not enough memory
      integer :: k
      if (nx < 1 .or. ny < 1 .or. nz < 1 .or. nmember < 1 .or. size(dz) /= nz) then
         call raise_error(error, error_input, "flow: a grid needs at least one cell in x, y and z, one member, and a "// &
                          "thickness per layer")
      else if (.not. (dx > 0.0_rk .and. dy > 0.0_rk .and. all(dz > 0.0_rk))) then
         call raise_error(error, error_input, "flow: dx, dy and the thickness of layers must be positive")
      else if (model%nx > 0) then
         call raise_error(error, error_input, "flow: this model exists already; create a new handle")
      end if
      if (allocated(error)) return
      model%nx = nx
      model%ny = ny
      model%nz = nz
      model%nmember = nmember
      model%dx = dx
      model%dy = dy
      call allocate_fields(model, error)
      if (.not. allocated(error)) call allocate_level(model%fine, nx, ny, nz, .false., error)
      if (allocated(error)) return
      model%dz = dz
      do k = 1, nz
         model%drop(k) = 0.5_rk*(dz(k) + dz(min(k + 1, nz)))
      end do
      do k = 1, nx*ny
         model%order(:, k) = [mod(k - 1, nx) + 1, (k - 1)/nx + 1]
      end do
   end subroutine create_flow_model

   !> Allocate and clear the arrays.
   subroutine allocate_fields(model, error)
      type(flow_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: nx, ny, nz, stat
      nx = model%nx
      ny = model%ny
      nz = model%nz
      ! allow(C182): one message stands for all of them
      allocate (model%dz(nz), model%drop(nz), model%class(0:nx + 1, nz, 0:ny + 1), model%ice(1, 1, 1), &
                model%exists(0:nx + 1, 0:ny + 1), model%slope_x(0:nx + 1, 0:ny + 1), model%slope_y(0:nx + 1, 0:ny + 1), &
                model%pond(nx, ny), model%kx(0:nx, nz, ny), model%ky(nx, nz, 0:ny), model%kz(nx, nz, ny), &
                model%cos_x(0:nx, ny), model%sin_x(0:nx, ny), model%over_x(0:nx, ny), model%bed_x(0:nx, ny), &
                model%rim_x(0:nx, ny), model%friction_x(0:nx, ny), &
                model%cos_y(nx, 0:ny), model%sin_y(nx, 0:ny), model%over_y(nx, 0:ny), model%bed_y(nx, 0:ny), &
                model%rim_y(nx, 0:ny), model%friction_y(nx, 0:ny), &
                model%heads(0:nx + 1, nz, 0:ny + 1, model%nmember), model%head(0:nx + 1, nz, 0:ny + 1), &
                model%head_old(0:nx + 1, nz, 0:ny + 1), model%storage(0:nx + 1, nz, 0:ny + 1), &
                model%capacity(0:nx + 1, nz, 0:ny + 1), model%relative(0:nx + 1, nz, 0:ny + 1), &
                model%slope(0:nx + 1, nz, 0:ny + 1), model%flips(0:nx + 1, nz, 0:ny + 1), &
                model%storage_old(nx, nz, ny), model%source(nx, nz, ny), &
                model%met_source(nx, nz, ny), model%residual(nx, nz, ny), model%volume_source(nx, nz, ny), &
                model%pond_old(nx, ny), model%rain(nx, ny), model%met_rain(nx, ny), model%rim(nx, ny), &
                model%spread(nx, ny), model%volume_spread(nx, ny), &
                model%runoff(nx, ny), model%volume_rain(nx, ny), model%volume_rim(nx, ny), model%volume_runoff(nx, ny), &
                model%over(nx, ny, 4), model%drain(nx, ny), model%order(2, nx*ny), model%basis(nx, nz, ny, 4), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the distributed subsurface; use fewer cells per rank")
         return
      end if
      model%class = 1
      model%pond = 1.0_rk
      model%ice = 0.0_rk
      model%exists = 0.0_rk
      model%slope_x = 0.0_rk
      model%slope_y = 0.0_rk
      model%over_x = 0.0_rk
      model%over_y = 0.0_rk
      model%bed_x = 0.0_rk
      model%bed_y = 0.0_rk
      model%rim_x = 0.0_rk
      model%rim_y = 0.0_rk
      model%friction_x = 0.0_rk
      model%friction_y = 0.0_rk
      model%heads = 0.0_rk
      model%head = 0.0_rk
      model%source = 0.0_rk
      model%rain = 0.0_rk
      model%rim = 0.0_rk
      model%spread = 0.0_rk
      model%runoff = 0.0_rk
      model%over = 0.0_rk
      model%drain = 0.0_rk
      model%volume_source = 0.0_rk
      model%volume_rain = 0.0_rk
      model%volume_rim = 0.0_rk
      model%volume_spread = 0.0_rk
      model%volume_runoff = 0.0_rk
      model%order = 0
   end subroutine allocate_fields

   !> Allocate one linear system, with room for sweeps over it if asked.
   subroutine allocate_level(level, nx, ny, nz, for_sweeps, error)
      type(flow_level_type), intent(inout) :: level
      integer, intent(in) :: nx, ny, nz
      logical, intent(in) :: for_sweeps
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      level%nx = nx
      level%ny = ny
      level%nz = nz
      ! allow(C182): one message stands for all of them
      allocate (level%centre(nx, nz, ny), level%west(nx, nz, ny), level%east(nx, nz, ny), level%south(nx, nz, ny), &
                level%north(nx, nz, ny), level%up(nx, nz, ny), level%down(nx, nz, ny), level%pivot(nx, nz, ny), &
                level%x(0:nx + 1, nz, 0:ny + 1), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the linear systems of the distributed subsurface; "// &
                          "use fewer cells per rank")
         return
      end if
      level%x = 0.0_rk
      if (for_sweeps) call allocate_sweeps(level, error)
   end subroutine allocate_level

   !> Allocate what sweeps over a level need.
   subroutine allocate_sweeps(level, error)
      type(flow_level_type), intent(inout) :: level
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      ! allow(C182): one message stands for all of them
      allocate (level%kept(0:level%nx + 1, level%nz, 0:level%ny + 1), level%r(level%nx, level%nz, level%ny), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the coarse grids of the distributed subsurface; use "// &
                          "fewer cells per rank")
         return
      end if
      level%kept = 0.0_rk
   end subroutine allocate_sweeps

end module pl_flow_model
