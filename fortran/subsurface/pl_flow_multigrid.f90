!> Precondition the flow: columns alone, or columns as the smoother of a multigrid that coarsens in x and y.
!>
!> Layers are thin and cells are wide, so that solving columns is nearly the inverse. Where water moves sideways faster
!> than a step stores it (steady states, confined aquifers, fine grids), errors that vary slowly in x and y remain. They
!> are solved on grids of two by two columns merged, layers kept (semicoarsening; Wesseling 1992, An Introduction to
!> Multigrid Methods, ch. 5 and 7). Equations are added up; lateral conductances are scaled with the distance of the
!> merged columns. Overland flow, which the finest level solves in order, is left out of the coarse ones.
module pl_flow_multigrid
   use pl_error, only: error_type
   use pl_flow_columns, only: factor_columns, multiply_rows, solve_columns
   use pl_flow_exchange, only: exchange_halo, flow_exchange_type, largest_over_ranks
   use pl_flow_model, only: allocate_level, allocate_sweeps, flow_level_type, flow_model_type
   use pl_flow_overland, only: overland_diffusive, overland_none
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: precondition, prepare_preconditioner

   real(rk), parameter :: strong_lateral = 8.0_rk !! lateral over own coefficients of a column that asks for a coarse grid [1]
   real(rk), parameter :: weak_lateral = 0.8_rk !! that of a coarse grid that needs no coarser one [1]
   real(rk), parameter :: damping = 0.8_rk        !! of a sweep over columns: smooths best for lateral flow in two dimensions [1]
   integer, parameter :: visits = 2 !! of each grid below the second (W cycle): iterations do not grow with the grid [1]
   integer, parameter :: last_sweeps = 4          !! over columns on the coarsest grid if it has more than one [1]

contains

   !> Build and factor coarse grids as far as lateral flow asks for them.
   subroutine prepare_preconditioner(model, judge, error)
      type(flow_model_type), target, intent(inout) :: model
      logical, intent(in) :: judge !! look again how many grids lateral flow asks for
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      type(flow_level_type), pointer :: fine
      integer :: level
      if (judge) then
         model%nlevel = 1
         if (model%options%levels == 1) return
         if (model%options%levels == 0) then
            if (lateral_strength(model, model%fine, .true.) <= strong_lateral) return
         end if
         if (.not. allocated(model%coarse)) then
            call create_coarse(model, error)
            if (allocated(error)) return
         end if
         model%nlevel = size(model%coarse) + 1
         if (model%options%levels > 0) model%nlevel = min(model%nlevel, model%options%levels)
      end if
      fine => model%fine
      do level = 1, model%nlevel - 1
         call coarsen(model, fine, level == 1, model%coarse(level))
         call factor_columns(model%coarse(level))
         fine => model%coarse(level)
         if (judge .and. model%options%levels == 0) then
            if (lateral_strength(model, fine, .false.) <= weak_lateral) model%nlevel = level + 1
         end if
         if (level == model%nlevel - 1) exit
      end do
   end subroutine prepare_preconditioner

   !> Allocate all coarse grids down to one column.
   subroutine create_coarse(model, error)
      type(flow_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: count, level, nx, ny
      real(rk) :: deepest(1)
      nx = model%nx
      ny = model%ny
      count = 0
      do while (nx > 1 .or. ny > 1)
         nx = (nx + 1)/2
         ny = (ny + 1)/2
         count = count + 1
      end do
      deepest(1) = real(count, rk) ! ranks go up and down together, whatever the size of their tiles
      call largest_over_ranks(model%exchange, deepest)
      count = nint(deepest(1))
      allocate (model%coarse(count))
      call allocate_sweeps(model%fine, error)
      nx = model%nx
      ny = model%ny
      do level = 1, count
         nx = (nx + 1)/2
         ny = (ny + 1)/2
         if (.not. allocated(error)) call allocate_level(model%coarse(level), nx, ny, model%nz, .true., error)
      end do
   end subroutine create_coarse

   !> Largest ratio of lateral coefficients to what is left of the diagonal, over the columns of a level.
   real(rk) function lateral_strength(model, level, is_finest)
      type(flow_model_type), intent(in) :: model
      type(flow_level_type), intent(in) :: level
      logical, intent(in) :: is_finest !! overland flow is in the top layer
      real(rk) :: lateral(level%nx), own(level%nx), worst(1), rows(level%ny)
      integer :: i, j, k
      !$omp parallel do schedule(static) private(i, k, lateral, own)
      do j = 1, level%ny
         lateral = 0.0_rk
         own = 0.0_rk
         if (is_finest) lateral = sum(model%over(:, j, :), dim=2)
         do k = 1, level%nz
            do i = 1, level%nx
               lateral(i) = lateral(i) - (level%west(i, k, j) + level%east(i, k, j) + level%south(i, k, j) + level%north(i, k, j))
               own(i) = own(i) + level%centre(i, k, j) + level%up(i, k, j) + level%down(i, k, j)
            end do
         end do
         rows(j) = 0.0_rk
         do i = 1, level%nx
            rows(j) = max(rows(j), min(lateral(i)/max(own(i) - lateral(i), tiny(own)), huge(own)))
         end do
      end do
      worst(1) = maxval(rows)
      call largest_over_ranks(model%exchange, worst)
      lateral_strength = worst(1)
   end function lateral_strength

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
      real(rk) :: halved
      integer :: ci, cj, i, j, k, top
      !$omp parallel do schedule(static) private(ci, i, j, k, top, w, e, s, n, s_beyond, n_beyond, halved)
      do cj = 1, coarse%ny
         coarse%centre(:, :, cj) = 0.0_rk
         coarse%west(:, :, cj) = 0.0_rk
         coarse%east(:, :, cj) = 0.0_rk
         coarse%south(:, :, cj) = 0.0_rk
         coarse%north(:, :, cj) = 0.0_rk
         coarse%up(:, :, cj) = 0.0_rk
         coarse%down(:, :, cj) = 0.0_rk
         do j = 2*cj - 1, min(2*cj, fine%ny)
            do k = 1, fine%nz
               top = merge(1, 0, is_finest .and. k == 1) ! overland flow is not taken along
               call load_row(fine%nx, fine%west(:, k, j), model%over(:, min(j, model%ny), 1), top, w)
               call load_row(fine%nx, fine%east(:, k, j), model%over(:, j, 2), top, e)
               call load_row(fine%nx, fine%south(:, k, j), model%over(:, j, 3), top, s)
               call load_row(fine%nx, fine%north(:, k, j), model%over(:, j, 4), top, n)
               ! beyond the tile the same coefficient stands for the one that is not known
               w(fine%nx + 1) = e(fine%nx)
               e(0) = w(1)
               n_beyond = s
               if (j > 1) call load_row(fine%nx, fine%north(:, k, j - 1), model%over(:, max(j - 1, 1), 4), top, n_beyond)
               s_beyond = n
               if (j < fine%ny) call load_row(fine%nx, fine%south(:, k, j + 1), model%over(:, min(j + 1, model%ny), 3), top, &
                                              s_beyond)
               do i = 1, fine%nx
                  ci = (i + 1)/2
                  coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + fine%centre(i, k, j)
                  coarse%up(ci, k, cj) = coarse%up(ci, k, cj) + fine%up(i, k, j)
                  coarse%down(ci, k, cj) = coarse%down(ci, k, cj) + fine%down(i, k, j)
                  if (mod(i, 2) == 1) then ! the neighbour in the west is in another pair
                     halved = 0.5_rk*max(w(i), e(i - 1))
                     coarse%west(ci, k, cj) = coarse%west(ci, k, cj) + (w(i) - halved)
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + halved
                  else
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + w(i)
                  end if
                  if (mod(i, 2) == 0 .or. i == fine%nx) then
                     halved = 0.5_rk*max(e(i), w(i + 1))
                     coarse%east(ci, k, cj) = coarse%east(ci, k, cj) + (e(i) - halved)
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + halved
                  else
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + e(i)
                  end if
                  if (mod(j, 2) == 1) then
                     halved = 0.5_rk*max(s(i), n_beyond(i))
                     coarse%south(ci, k, cj) = coarse%south(ci, k, cj) + (s(i) - halved)
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + halved
                  else
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + s(i)
                  end if
                  if (mod(j, 2) == 0 .or. j == fine%ny) then
                     halved = 0.5_rk*max(n(i), s_beyond(i))
                     coarse%north(ci, k, cj) = coarse%north(ci, k, cj) + (n(i) - halved)
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + halved
                  else
                     coarse%centre(ci, k, cj) = coarse%centre(ci, k, cj) + n(i)
                  end if
               end do
            end do
         end do
      end do
   end subroutine coarsen

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

   !> fine%x <- approximate inverse of the Jacobian times `right`.
   subroutine precondition(model, right)
      type(flow_model_type), target, intent(inout) :: model
      real(rk), intent(in) :: right(model%nx, model%nz, model%ny)
      integer :: coupled
      logical :: backward
      coupled = merge(0, size(model%order), model%options%overland == overland_none)
      backward = model%options%overland == overland_diffusive
      if (model%nlevel == 1) then
         call solve_columns(model%fine, right, model%order(:coupled), backward)
         return
      end if
      call sweep(model%exchange, model%fine, right, model%order(:coupled), backward, .true.)
      call descend(model, model%fine, right, 1)
      call sweep(model%exchange, model%fine, right, model%order(:coupled), backward, .false.)
   end subroutine precondition

   !> Coarse correction of a level whose right-hand side is `right`.
   recursive subroutine descend(model, level, right, coarse_number)
      type(flow_model_type), target, intent(inout) :: model
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer, intent(in) :: coarse_number
      integer, parameter :: uncoupled(0) = [integer ::]
      type(flow_level_type), pointer :: coarse
      real(rk), allocatable :: wanted(:, :, :)
      integer :: s
      coarse => model%coarse(coarse_number)
      call find_rest(model%exchange, level, right)
      allocate (wanted(coarse%nx, coarse%nz, coarse%ny))
      call add_up(level, coarse, wanted)
      call sweep(model%exchange, coarse, wanted, uncoupled, .false., .true.)
      if (coarse_number < model%nlevel - 1) then
         do s = 1, visits
            call descend(model, coarse, wanted, coarse_number + 1)
            call sweep(model%exchange, coarse, wanted, uncoupled, .false., .false.)
         end do
      else if (coarse%nx*coarse%ny > 1 .or. model%exchange%size > 1) then
         do s = 2, last_sweeps
            call sweep(model%exchange, coarse, wanted, uncoupled, .false., .false.)
         end do
      end if
      call spread(coarse, level)
   end subroutine descend

   !> One damped solve of all columns of a level, from zero or from the solution so far.
   subroutine sweep(exchange, level, right, order, backward, from_zero)
      type(flow_exchange_type), intent(inout) :: exchange
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer, intent(in) :: order(:)
      logical, intent(in) :: backward, from_zero
      real(rk) :: share
      integer :: j
      ! one column is solved exactly
      share = merge(1.0_rk, damping, level%nx*level%ny == 1 .and. exchange%size == 1)
      if (from_zero) then
         call solve_columns(level, right, order, backward)
         !$omp parallel do schedule(static)
         do j = 1, level%ny
            level%x(:, :, j) = share*level%x(:, :, j)
         end do
         return
      end if
      call find_rest(exchange, level, right)
      !$omp parallel do schedule(static)
      do j = 1, level%ny
         level%kept(:, :, j) = level%x(:, :, j)
      end do
      call solve_columns(level, level%r, order, backward)
      !$omp parallel do schedule(static)
      do j = 1, level%ny
         level%x(:, :, j) = level%kept(:, :, j) + share*level%x(:, :, j)
      end do
   end subroutine sweep

   !> level%r <- right - A x.
   subroutine find_rest(exchange, level, right)
      type(flow_exchange_type), intent(inout) :: exchange
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer :: j
      call exchange_halo(exchange, level%nx, level%nz, level%ny, level%x)
      !$omp parallel do schedule(static)
      do j = 1, level%ny
         call multiply_rows(level%nx, level%nz, level%centre(:, :, j), level%west(:, :, j), level%east(:, :, j), &
                            level%south(:, :, j), level%north(:, :, j), level%up(:, :, j), level%down(:, :, j), &
                            level%x(:, :, j - 1:j + 1), level%r(:, :, j))
         level%r(:, :, j) = right(:, :, j) - level%r(:, :, j)
      end do
   end subroutine find_rest

   !> Right-hand side of the coarse level: what is left on the finer one, added up.
   subroutine add_up(fine, coarse, right)
      type(flow_level_type), intent(in) :: fine
      type(flow_level_type), intent(in) :: coarse
      real(rk), intent(out) :: right(coarse%nx, coarse%nz, coarse%ny)
      integer :: cj, i, j, k
      !$omp parallel do schedule(static) private(i, j, k)
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
      !$omp parallel do schedule(static) private(i, k)
      do j = 1, fine%ny
         do k = 1, fine%nz
            do i = 1, fine%nx
               fine%x(i, k, j) = fine%x(i, k, j) + coarse%x((i + 1)/2, k, (j + 1)/2)
            end do
         end do
      end do
   end subroutine spread

end module pl_flow_multigrid
