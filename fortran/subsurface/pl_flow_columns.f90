!> Solve all columns of a grid, with their top cells coupled downstream: the preconditioner and smoother of the flow.
!>
!> The vertical part of the Jacobian is tridiagonal. It is eliminated from the base up, which leaves one equation per
!> column for its top cell. These are solved downstream along the order of overland flow, each with what its neighbours
!> upstream have found, which is exact for the kinematic wave; then columns are filled from the top down. Only the part
!> with one unknown per column runs in order; the rest runs over rows of columns side by side.
module pl_flow_columns
   use pl_flow_model, only: cells_per_thread, flow_level_type
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: factor_columns, factor_row, multiply_rows, solve_columns

contains

   !> Eliminate the columns of a level from the base up.
   subroutine factor_columns(level)
      type(flow_level_type), intent(inout) :: level
      integer :: j
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
      do j = 1, level%ny
         call factor_row(level%nx, level%nz, level%centre(:, :, j), level%up(:, :, j), level%down(:, :, j), &
                         level%pivot(:, :, j))
      end do
   end subroutine factor_columns

   !> Eliminate the columns of a row from the base up.
   pure subroutine factor_row(nx, nz, centre, up, down, pivot)
      integer, intent(in) :: nx, nz
      real(rk), intent(in), dimension(nx, nz) :: centre, up, down
      real(rk), intent(out) :: pivot(nx, nz) !! inverse of what is left of the centre
      integer :: i, k
      pivot(:, nz) = 1.0_rk/centre(:, nz)
      do k = nz - 1, 1, -1
         do i = 1, nx
            pivot(i, k) = 1.0_rk/(centre(i, k) - down(i, k)*pivot(i, k + 1)*up(i, k + 1))
         end do
      end do
   end subroutine factor_row

   !> x <- solution of columns for the right-hand side, with top cells coupled in `order`; `backward` sweeps back, too.
   subroutine solve_columns(level, right, order, backward)
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer, intent(in) :: order(:, :)  !! x and y of the columns, downstream; empty: top cells are not coupled
      logical, intent(in) :: backward     !! water can flow either way
      logical :: couples
      integer :: j
      couples = size(order, 2) > 0
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
      do j = 1, level%ny
         call eliminate_row(level%nx, level%nz, right(:, :, j), level%down(:, :, j), level%pivot(:, :, j), level%x(:, :, j))
         if (.not. couples) call fill_row(level%nx, level%nz, .true., level%pivot(:, :, j), level%up(:, :, j), level%x(:, :, j))
      end do
      if (.not. couples) return
      call couple_tops(level%nx, level%nz, level%ny, order, backward, level%pivot, level%west, level%east, level%south, &
                       level%north, level%x)
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
      do j = 1, level%ny
         call fill_row(level%nx, level%nz, .false., level%pivot(:, :, j), level%up(:, :, j), level%x(:, :, j))
      end do
   end subroutine solve_columns

   !> Right-hand sides from the base up.
   pure subroutine eliminate_row(nx, nz, right, down, pivot, x)
      integer, intent(in) :: nx, nz
      real(rk), intent(in), dimension(nx, nz) :: right, down, pivot
      real(rk), intent(inout) :: x(0:nx + 1, nz)
      integer :: i, k
      x(1:nx, nz) = right(:, nz)
      do k = nz - 1, 1, -1
         do i = 1, nx
            x(i, k) = right(i, k) - down(i, k)*pivot(i, k + 1)*x(i, k + 1)
         end do
      end do
   end subroutine eliminate_row

   !> Solutions from the top down.
   pure subroutine fill_row(nx, nz, with_top, pivot, up, x)
      integer, intent(in) :: nx, nz
      logical, intent(in) :: with_top !! top cells are not solved yet
      real(rk), intent(in) :: pivot(nx, nz), up(nx, nz)
      real(rk), intent(inout) :: x(0:nx + 1, nz)
      integer :: i, k
      if (with_top) then
         do i = 1, nx
            x(i, 1) = x(i, 1)*pivot(i, 1)
         end do
      end if
      do k = 2, nz
         do i = 1, nx
            x(i, k) = (x(i, k) - up(i, k)*x(i, k - 1))*pivot(i, k)
         end do
      end do
   end subroutine fill_row

   !> Top cells in order; x(:, 1, :) holds right-hand sides on entry and solutions on return.
   pure subroutine couple_tops(nx, nz, ny, order, backward, pivot, west, east, south, north, x)
      integer, intent(in) :: nx, nz, ny
      integer, intent(in) :: order(2, nx*ny) !! x and y of the columns
      logical, intent(in) :: backward
      real(rk), intent(in), dimension(nx, nz, ny) :: pivot, west, east, south, north
      real(rk), intent(inout) :: x(0:nx + 1, nz, 0:ny + 1)
      real(rk) :: top(0:nx + 1, 0:ny + 1)
      integer :: c, i, j
      top = 0.0_rk ! neighbours that come later have nothing to say yet
      do c = 1, nx*ny
         i = order(1, c)
         j = order(2, c)
         top(i, j) = (x(i, 1, j) - west(i, 1, j)*top(i - 1, j) - east(i, 1, j)*top(i + 1, j) &
                      - south(i, 1, j)*top(i, j - 1) - north(i, 1, j)*top(i, j + 1))*pivot(i, 1, j)
      end do
      if (backward) then
         do c = nx*ny, 1, -1
            i = order(1, c)
            j = order(2, c)
            top(i, j) = (x(i, 1, j) - west(i, 1, j)*top(i - 1, j) - east(i, 1, j)*top(i + 1, j) &
                         - south(i, 1, j)*top(i, j - 1) - north(i, 1, j)*top(i, j + 1))*pivot(i, 1, j)
         end do
      end if
      do j = 1, ny
         x(1:nx, 1, j) = top(1:nx, j)
      end do
   end subroutine couple_tops

   !> y = A x of one row; `x` are the rows south, here and north.
   pure subroutine multiply_rows(nx, nz, centre, west, east, south, north, up, down, x, y)
      integer, intent(in) :: nx, nz
      real(rk), intent(in), dimension(nx, nz) :: centre, west, east, south, north, up, down
      real(rk), intent(in) :: x(0:nx + 1, nz, -1:1)
      real(rk), intent(out) :: y(nx, nz)
      integer :: i, k, k_up, k_down
      do k = 1, nz
         k_up = max(k - 1, 1)      ! up is 0 in the top layer
         k_down = min(k + 1, nz)   ! down is 0 in the lowest layer
         do i = 1, nx
            y(i, k) = centre(i, k)*x(i, k, 0) + west(i, k)*x(i - 1, k, 0) + east(i, k)*x(i + 1, k, 0) &
                      + south(i, k)*x(i, k, -1) + north(i, k)*x(i, k, 1) + up(i, k)*x(i, k_up, 0) + down(i, k)*x(i, k_down, 0)
         end do
      end do
   end subroutine multiply_rows

end module pl_flow_columns
