!> Coarse grids of the ground: two by two columns merged, layers kept, and the way to them and back.
!>
!> Equations are added up. With several ranks tiles are coarsened until they are small; from there on every rank holds the
!> whole of the grid.
module pl_flow_coarse
   use pl_error, only: error_type
   use pl_flow_exchange, only: gather_over_ranks, largest_over_ranks
   use pl_flow_model, only: allocate_level, allocate_sweeps, cells_per_thread, flow_level_type, flow_model_type
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: add_up, coarsen, create_coarse, gather_field, gather_level, spread, take_tile

   integer, parameter :: smallest_tile = 4 !! columns along a side below which tiles are put together [1]

contains

   !> Allocate all coarse grids down to one column.
   !>
   !> With several ranks, tiles are coarsened until they are small; then every rank holds the whole of the grid, and what is
   !> left is solved without messages.
   subroutine create_coarse(model, error)
      type(flow_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: apart, level, nx, ny, least, together
      real(rk) :: deepest(1)
      least = merge(1, smallest_tile, model%exchange%size == 1)
      deepest(1) = real(max(halvings(model%nx, model%ny, least), 1), rk) ! all ranks alike, whatever the size of their tiles
      call largest_over_ranks(model%exchange, deepest)
      apart = nint(deepest(1))
      nx = model%nx
      ny = model%ny
      do level = 1, apart
         nx = (nx + 1)/2
         ny = (ny + 1)/2
      end do
      together = 0
      if (model%exchange%size > 1) then
         model%gathered = apart + 1
         call measure_tiles(model, nx, ny)
         together = 1 + halvings(sum(model%widths), sum(model%heights), 1)
      end if
      allocate (model%coarse(apart + together))
      call allocate_sweeps(model%fine, error)
      nx = model%nx
      ny = model%ny
      do level = 1, apart + together
         if (level == model%gathered) then
            nx = sum(model%widths)
            ny = sum(model%heights)
         else
            nx = (nx + 1)/2
            ny = (ny + 1)/2
         end if
         if (.not. allocated(error)) call allocate_level(model%coarse(level), nx, ny, model%nz, .true., error)
      end do
   end subroutine create_coarse

   !> How often a grid must be halved until neither side has more than `least` columns.
   pure integer function halvings(nx, ny, least)
      integer, intent(in) :: nx, ny, least
      integer :: longest
      longest = max(nx, ny)
      halvings = 0
      do while (longest > least)
         longest = (longest + 1)/2
         halvings = halvings + 1
      end do
   end function halvings

   !> Columns of all tiles of a level, `nx` times `ny` on this rank.
   subroutine measure_tiles(model, nx, ny)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: nx, ny
      real(rk) :: sizes(2, model%exchange%size)
      integer :: r
      call gather_over_ranks(model%exchange, [real(nx, rk), real(ny, rk)], sizes)
      allocate (model%widths(model%exchange%tiles(1)), model%heights(model%exchange%tiles(2)))
      do r = 1, model%exchange%size
         model%widths(place_x(model, r)) = nint(sizes(1, r))
         model%heights(place_y(model, r)) = nint(sizes(2, r))
      end do
   end subroutine measure_tiles

   !> Place of a tile from west to east.
   pure integer function place_x(model, r)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: r !! rank, from 1 [1]
      place_x = mod(r - 1, model%exchange%tiles(1)) + 1
   end function place_x

   !> Place of a tile from south to north.
   pure integer function place_y(model, r)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: r !! rank, from 1 [1]
      place_y = (r - 1)/model%exchange%tiles(1) + 1
   end function place_y

   !> Put the tiles of a field together on every rank.
   subroutine gather_field(model, nx, nz, ny, tile, whole)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: nx, nz, ny
      real(rk), intent(in) :: tile(nx, nz, ny)
      real(rk), intent(out) :: whole(:, :, :)
      real(rk), allocatable :: mine(:), all(:, :)
      integer :: block, ix, iy, r, x, y
      block = maxval(model%widths)*maxval(model%heights)*nz
      allocate (mine(block), all(block, model%exchange%size))
      mine = 0.0_rk
      mine(:nx*nz*ny) = reshape(tile, [nx*nz*ny])
      call gather_over_ranks(model%exchange, mine, all)
      do r = 1, model%exchange%size
         ix = place_x(model, r)
         iy = place_y(model, r)
         x = sum(model%widths(:ix - 1))
         y = sum(model%heights(:iy - 1))
         associate (w => model%widths(ix), h => model%heights(iy))
            whole(x + 1:x + w, :, y + 1:y + h) = reshape(all(:w*nz*h, r), [w, nz, h])
         end associate
      end do
   end subroutine gather_field

   !> The linear system of all tiles on every rank.
   subroutine gather_level(model, tile, whole)
      type(flow_model_type), intent(in) :: model
      type(flow_level_type), intent(in) :: tile
      type(flow_level_type), intent(inout) :: whole
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%centre, whole%centre)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%west, whole%west)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%east, whole%east)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%south, whole%south)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%north, whole%north)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%up, whole%up)
      call gather_field(model, tile%nx, tile%nz, tile%ny, tile%down, whole%down)
   end subroutine gather_level

   !> Add the solution of the whole to that of this tile.
   subroutine take_tile(model, whole, tile)
      type(flow_model_type), intent(in) :: model
      type(flow_level_type), intent(in) :: whole
      type(flow_level_type), intent(inout) :: tile
      integer :: x, y
      x = sum(model%widths(:place_x(model, model%exchange%rank + 1) - 1))
      y = sum(model%heights(:place_y(model, model%exchange%rank + 1) - 1))
      tile%x(1:tile%nx, :, 1:tile%ny) = tile%x(1:tile%nx, :, 1:tile%ny) + whole%x(x + 1:x + tile%nx, :, y + 1:y + tile%ny)
   end subroutine take_tile

   !> Add up the equations of two by two columns.
   !>
   !> What two columns exchange by the difference of their heads halves with their distance; what one hands to the other by
   !> its own head alone (upstream conductivity, gravity along the slope) does not. The smaller of the two coefficients of
   !> a face is the former.
   subroutine coarsen(model, fine, is_finest, coarse)
      type(flow_model_type), intent(in) :: model
      type(flow_level_type), intent(in) :: fine
      logical, intent(in) :: is_finest
      type(flow_level_type), intent(inout) :: coarse
      real(rk), dimension(0:fine%nx + 1) :: w, e, s, n, s_beyond, n_beyond
      integer :: ci, cj, i, j, k, over_row, top
      !$omp parallel do schedule(static) private(ci, i, j, k, over_row, top, w, e, s, n, s_beyond, n_beyond) &
      !$omp if (fine%nx*fine%ny*fine%nz > cells_per_thread)
      do cj = 1, coarse%ny
         coarse%centre(:, :, cj) = 0.0_rk
         coarse%west(:, :, cj) = 0.0_rk
         coarse%east(:, :, cj) = 0.0_rk
         coarse%south(:, :, cj) = 0.0_rk
         coarse%north(:, :, cj) = 0.0_rk
         coarse%up(:, :, cj) = 0.0_rk
         coarse%down(:, :, cj) = 0.0_rk
         do j = 2*cj - 1, min(2*cj, fine%ny)
            over_row = min(j, model%ny) ! a grid put together from many narrow tiles has more rows; overland flow is not read then
            do k = 1, fine%nz
               top = merge(1, 0, is_finest .and. k == 1) ! overland flow is not taken along
               call load_row(fine%nx, fine%west(:, k, j), model%over(:, over_row, 1), top, w)
               call load_row(fine%nx, fine%east(:, k, j), model%over(:, over_row, 2), top, e)
               call load_row(fine%nx, fine%south(:, k, j), model%over(:, over_row, 3), top, s)
               call load_row(fine%nx, fine%north(:, k, j), model%over(:, over_row, 4), top, n)
               ! beyond the tile the same coefficient stands for the one that is not known
               w(fine%nx + 1) = e(fine%nx)
               e(0) = w(1)
               n_beyond = s
               if (j > 1) call load_row(fine%nx, fine%north(:, k, j - 1), model%over(:, max(over_row - 1, 1), 4), top, n_beyond)
               s_beyond = n
               if (j < fine%ny) call load_row(fine%nx, fine%south(:, k, j + 1), model%over(:, min(j + 1, model%ny), 3), top, &
                                              s_beyond)
               do i = 1, fine%nx
                  ci = (i + 1)/2
                  coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + fine%centre(i, k, j)
                  coarse%up(ci, k, cj) = coarse%up(ci, k, cj) + fine%up(i, k, j)
                  coarse%down(ci, k, cj) = coarse%down(ci, k, cj) + fine%down(i, k, j)
                  call merge_face(mod(i, 2) == 1, w(i), e(i - 1), coarse%west(ci, k, cj), coarse%centre(ci, k, cj))
                  call merge_face(mod(i, 2) == 0 .or. i == fine%nx, e(i), w(i + 1), coarse%east(ci, k, cj), &
                                  coarse%centre(ci, k, cj))
                  call merge_face(mod(j, 2) == 1, s(i), n_beyond(i), coarse%south(ci, k, cj), coarse%centre(ci, k, cj))
                  call merge_face(mod(j, 2) == 0 .or. j == fine%ny, n(i), s_beyond(i), coarse%north(ci, k, cj), &
                                  coarse%centre(ci, k, cj))
               end do
            end do
         end do
      end do
   end subroutine coarsen

   !> Add the coefficient of a face to the side of the merged columns, or to their centre if it lies within.
   pure subroutine merge_face(is_outer, mine, beyond, side, centre)
      logical, intent(in) :: is_outer !! the neighbour belongs to other columns
      real(rk), intent(in) :: mine    !! coefficient of the neighbour
      real(rk), intent(in) :: beyond  !! that of this column in the neighbour's equation
      real(rk), intent(inout) :: side, centre
      real(rk) :: halved
      if (is_outer) then
         halved = 0.5_rk*max(mine, beyond)
         side = side + (mine - halved)
         centre = centre + halved
      else
         centre = centre + mine
      end if
   end subroutine merge_face

   !> Coefficients of a row without the share of overland flow.
   pure subroutine load_row(nx, coefficients, over, top, row)
      integer, intent(in) :: nx
      real(rk), intent(in) :: coefficients(nx)
      real(rk), intent(in) :: over(:) !! of the finest grid
      integer, intent(in) :: top !! 1 in the top layer of the finest grid
      real(rk), intent(out) :: row(0:nx + 1)
      integer :: i
      row(0) = 0.0_rk
      row(nx + 1) = 0.0_rk
      row(1:nx) = coefficients
      if (top == 0) return
      do i = 1, nx
         row(i) = row(i) - over(i)
      end do
   end subroutine load_row

   !> Right-hand side of the coarse level: what is left on the finer one, added up.
   subroutine add_up(fine, coarse, right)
      type(flow_level_type), intent(in) :: fine
      type(flow_level_type), intent(in) :: coarse
      real(rk), intent(out) :: right(coarse%nx, coarse%nz, coarse%ny)
      integer :: cj, i, j, k
      !$omp parallel do schedule(static) private(i, j, k) if (fine%nx*fine%ny*fine%nz > cells_per_thread)
      do cj = 1, coarse%ny
         right(:, :, cj) = 0.0_rk
         do j = 2*cj - 1, min(2*cj, fine%ny)
            do k = 1, fine%nz
               do i = 1, fine%nx
                  right((i + 1)/2, k, cj) = right((i + 1)/2, k, cj) + fine%r(i, k, j)
               end do
            end do
         end do
      end do
   end subroutine add_up

   !> Add the coarse solution to that of its columns on the finer level.
   subroutine spread(coarse, fine)
      type(flow_level_type), intent(in) :: coarse
      type(flow_level_type), intent(inout) :: fine
      integer :: i, j, k
      !$omp parallel do schedule(static) private(i, k) if (fine%nx*fine%ny*fine%nz > cells_per_thread)
      do j = 1, fine%ny
         do k = 1, fine%nz
            do i = 1, fine%nx
               fine%x(i, k, j) = fine%x(i, k, j) + coarse%x((i + 1)/2, k, (j + 1)/2)
            end do
         end do
      end do
   end subroutine spread

end module pl_flow_coarse
