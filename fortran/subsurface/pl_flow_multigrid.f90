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
   use pl_flow_coarse, only: add_up, coarsen, create_coarse, gather_field, gather_level, spread, take_tile
   use pl_flow_exchange, only: exchange_halo, flow_exchange_type, largest_over_ranks
   use pl_flow_model, only: cells_per_thread, flow_level_type, flow_model_type
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
         if (lateral_strength(model, model%fine, .true.) <= strong_lateral) return
         if (.not. allocated(model%coarse)) then
            call create_coarse(model, error)
            if (allocated(error)) return
         end if
         model%nlevel = size(model%coarse) + 1
      end if
      fine => model%fine
      do level = 1, model%nlevel - 1
         if (level == model%gathered) then
            call gather_level(model, fine, model%coarse(level))
         else
            call coarsen(model, fine, level == 1, model%coarse(level))
         end if
         call factor_columns(model%coarse(level))
         fine => model%coarse(level)
         if (judge) then
            if (lateral_strength(model, fine, .false.) <= weak_lateral) model%nlevel = level + 1
         end if
         if (level == model%nlevel - 1) exit
      end do
   end subroutine prepare_preconditioner

   !> Largest ratio of lateral coefficients to what is left of the diagonal, over the columns of a level.
   real(rk) function lateral_strength(model, level, is_finest)
      type(flow_model_type), intent(in) :: model
      type(flow_level_type), intent(in) :: level
      logical, intent(in) :: is_finest !! overland flow is in the top layer
      real(rk) :: lateral(level%nx), own(level%nx), worst(1), rows(level%ny)
      integer :: i, j, k
      !$omp parallel do schedule(static) private(i, k, lateral, own) if (level%nx*level%ny*level%nz > cells_per_thread)
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
            rows(j) = max(rows(j), lateral(i)/max(own(i) - lateral(i), epsilon(own)*lateral(i), tiny(own)))
         end do
      end do
      worst(1) = maxval(rows)
      call largest_over_ranks(model%exchange, worst)
      lateral_strength = worst(1)
   end function lateral_strength

   !> fine%x <- approximate inverse of the Jacobian times `right`.
   subroutine precondition(model, right)
      type(flow_model_type), target, intent(inout) :: model
      real(rk), intent(in) :: right(model%nx, model%nz, model%ny)
      integer :: coupled
      logical :: backward
      coupled = merge(0, size(model%order, 2), model%options%overland == overland_none)
      backward = model%options%overland == overland_diffusive
      if (model%nlevel == 1) then
         call solve_columns(model%fine, right, model%order(:, :coupled), backward)
         return
      end if
      call sweep(model%exchange, model%fine, right, model%order(:, :coupled), backward, .true.)
      call descend(model, model%fine, right, 1)
      call sweep(model%exchange, model%fine, right, model%order(:, :coupled), backward, .false.)
   end subroutine precondition

   !> Coarse correction of a level whose right-hand side is `right`.
   recursive subroutine descend(model, level, right, coarse_number)
      type(flow_model_type), target, intent(inout) :: model
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer, intent(in) :: coarse_number
      integer, parameter :: uncoupled(2, 0) = reshape([integer ::], [2, 0])
      type(flow_level_type), pointer :: coarse
      type(flow_exchange_type), pointer :: above, here
      real(rk), allocatable :: wanted(:, :, :)
      integer :: s
      coarse => model%coarse(coarse_number)
      above => model%exchange
      if (model%gathered > 0 .and. coarse_number > model%gathered) above => model%alone
      here => model%exchange
      if (model%gathered > 0 .and. coarse_number >= model%gathered) here => model%alone
      call find_rest(above, level, right)
      allocate (wanted(coarse%nx, coarse%nz, coarse%ny))
      if (coarse_number == model%gathered) then
         call gather_field(model, level%nx, level%nz, level%ny, level%r, wanted)
      else
         call add_up(level, coarse, wanted)
      end if
      call sweep(here, coarse, wanted, uncoupled, .false., .true.)
      if (coarse_number < model%nlevel - 1) then
         do s = 1, visits
            call descend(model, coarse, wanted, coarse_number + 1)
            call sweep(here, coarse, wanted, uncoupled, .false., .false.)
         end do
      else if (coarse%nx*coarse%ny > 1 .or. here%size > 1) then
         do s = 2, last_sweeps
            call sweep(here, coarse, wanted, uncoupled, .false., .false.)
         end do
      end if
      if (coarse_number == model%gathered) then
         call take_tile(model, coarse, level)
      else
         call spread(coarse, level)
      end if
   end subroutine descend

   !> One damped solve of all columns of a level, from zero or from the solution so far.
   subroutine sweep(exchange, level, right, order, backward, from_zero)
      type(flow_exchange_type), intent(inout) :: exchange
      type(flow_level_type), intent(inout) :: level
      real(rk), intent(in) :: right(level%nx, level%nz, level%ny)
      integer, intent(in) :: order(:, :)
      logical, intent(in) :: backward, from_zero
      real(rk) :: share
      integer :: j
      ! one column is solved exactly
      share = merge(1.0_rk, damping, level%nx*level%ny == 1 .and. exchange%size == 1)
      if (from_zero) then
         call solve_columns(level, right, order, backward)
         !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
         do j = 1, level%ny
            level%x(:, :, j) = share*level%x(:, :, j)
         end do
         return
      end if
      call find_rest(exchange, level, right)
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
      do j = 1, level%ny
         level%kept(:, :, j) = level%x(:, :, j)
      end do
      call solve_columns(level, level%r, order, backward)
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
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
      !$omp parallel do schedule(static) if (level%nx*level%ny*level%nz > cells_per_thread)
      do j = 1, level%ny
         call multiply_rows(level%nx, level%nz, level%centre(:, :, j), level%west(:, :, j), level%east(:, :, j), &
                            level%south(:, :, j), level%north(:, :, j), level%up(:, :, j), level%down(:, :, j), &
                            level%x(:, :, j - 1:j + 1), level%r(:, :, j))
         level%r(:, :, j) = right(:, :, j) - level%r(:, :, j)
      end do
   end subroutine find_rest

end module pl_flow_multigrid
