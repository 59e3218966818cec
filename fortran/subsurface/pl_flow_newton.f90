!> One backward Euler step of the distributed subsurface: Newton's method with inexact linear solves.
!>
!> Linear systems are solved to a share of the residual after Eisenstat and Walker (1996), SIAM J. Sci. Comput. 17,
!> 16-32, choice 2. Where a head would jump, the step is taken in water content instead, and a cell leaves saturation
!> through a head (pl_head_step) that comes nearer to saturation each time in a step. A column that fills up begins to
!> pond at depth 0, where the pond already counts in the Jacobian.
module pl_flow_newton
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_fortran_env, only: int8
   use pl_chunk, only: w => chunk_width
   use pl_error, only: error_type
   use pl_flow_exchange, only: add_over_ranks, exchange_halo, largest_over_ranks
   use pl_flow_faces, only: order_downstream
   use pl_flow_krylov, only: solve_linear
   use pl_flow_model, only: flow_model_type
   use pl_flow_multigrid, only: prepare_preconditioner
   use pl_flow_overland, only: drained_head, overland_diffusive, overland_none
   use pl_flow_soil, only: class_parameters_type, flow_soil_type, invert_lanes, lane_water, load_if_new
   use pl_flow_system, only: assemble, evaluate, sum_water
   use pl_head_step, only: propose_head, smooth_head
   use pl_kinds, only: rk
   use pl_retention_curves, only: driest_head
   use pl_soil_hydraulics, only: wettest_head
   implicit none (type, external)
   private
   public :: newton_step

   real(rk), parameter :: first_share = 0.1_rk    !! of the residual that a linear solve may leave at first [1]
   real(rk), parameter :: least_share = 1.0e-4_rk !! of the residual that it is ever asked to leave [1]
   real(rk), parameter :: walker = 0.9_rk         !! factor of choice 2 of Eisenstat and Walker [1]
   real(rk), parameter :: walker_power = 0.5_rk*(1.0_rk + sqrt(5.0_rk)) !! its exponent [1]
   real(rk), parameter :: aim = 0.03_rk           !! of the tolerance that a linear solve may leave (Kelley 1995) [1]
   real(rk), parameter :: balance_share = 1.0e-13_rk !! of the water held that all residuals together may be [1]
   integer, parameter :: for_balance = 8          !! iterations at most that only the balance asks for [1]
   real(rk), parameter :: halving = 0.5_rk        !! of the residual in an iteration: less may be for rounding [1]
   real(rk), parameter :: rounding = 8.0_rk*epsilon(1.0_rk) !! of the sum of a residual, over its largest term [1]
   integer, parameter :: slow = 8                 !! iterations of GMRES after which coarse grids may be called for [1]
   real(rk), parameter :: nearer = 0.25_rk        !! to saturation comes a cell that leaves it once more in a step [1]
   integer(int8), parameter :: most_flips = 20_int8 !! after which it comes no nearer [1]
   integer, parameter :: patience = 6             !! iterations before steps across a kink are halved [1]
   real(rk), parameter :: slack = 3.0_rk          !! growth of the residual that passes [1]
   integer, parameter :: long_patience = 12       !! iterations before the residual must fall in each [1]
   integer, parameter :: most_halvings = 2        !! of a step along which it does not [1]

contains

   !> Advance the heads by `dt`; not `converged`: they are of no use.
   subroutine newton_step(model, dt, converged, iterations, error)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt          !! [s]
      logical, intent(out) :: converged
      integer, intent(out) :: iterations  !! [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk) :: square(model%ny), largest(model%ny), signed(model%ny)
      real(rk) :: sums(3), top(1), held, now, before, share
      integer :: halvings, met, solved
      logical :: rises
      converged = .false.
      call start_step(model, held)
      before = 0.0_rk
      met = 0
      halvings = most_halvings ! there is nothing to go back to
      solved = model%krylov
      share = first_share
      do iterations = 0, model%options%max_iterations
         call assemble(model, dt, iterations == 0, square, largest, signed)
         sums = [sum(square), sum(signed), held]
         top = maxval(largest)
         call add_over_ranks(model%exchange, sums)
         call largest_over_ranks(model%exchange, top)
         now = sqrt(sums(1))
         rises = .not. ieee_is_finite(now)
         if (iterations > long_patience) rises = rises .or. now > slack*before
         if (rises .and. halvings < most_halvings) then
            call step_back(model)
            halvings = halvings + 1
            cycle
         end if
         if (.not. ieee_is_finite(now)) return
         halvings = 0
         if (top(1) > model%options%tolerance .and. iterations > 0 .and. now > halving*before) then
            if (top(1) <= rounding*largest_term(model)) top(1) = 0.0_rk
         end if
         if (top(1) <= model%options%tolerance) then
            met = met + 1
            converged = abs(sums(2)) <= balance_share*sums(3) .or. met > for_balance
            model%is_evaluated = converged
            if (converged) return
         end if
         if (iterations == model%options%max_iterations) then
            converged = top(1) <= model%options%tolerance
            model%is_evaluated = converged
            return
         end if
         if (iterations > 0) share = next_share(now, before, model%options%tolerance/max(top(1), tiny(top)))
         if (met > 0) share = max(min(share, aim*balance_share*sums(3)/abs(sums(2))), least_share)
         call prepare_preconditioner(model, iterations == 0 .or. model%krylov - solved > slow, error)
         if (allocated(error)) return
         solved = model%krylov
         call solve_linear(model, now, share, error)
         if (allocated(error)) return
         before = now
         model%newton = model%newton + 1
         call move_heads(model, dt, iterations + 1)
      end do
   end subroutine newton_step

   !> Largest term of a residual: what it can be known to, over the precision of numbers [m].
   real(rk) function largest_term(model)
      type(flow_model_type), intent(in) :: model
      real(rk) :: rows(model%ny), top(1)
      integer :: j
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         rows(j) = maxval(model%fine%centre(:, :, j)*abs(model%head(1:model%nx, :, j)))
      end do
      top = maxval(rows)
      call largest_over_ranks(model%exchange, top)
      largest_term = top(1)
   end function largest_term

   !> Take half of the last change of the heads back.
   subroutine step_back(model)
      type(flow_model_type), intent(inout) :: model
      integer :: j
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         model%fine%x(:, :, j) = 0.5_rk*model%fine%x(:, :, j)
         model%head(1:model%nx, :, j) = model%head(1:model%nx, :, j) - model%fine%x(1:model%nx, :, j)
      end do
   end subroutine step_back

   !> Share of the residual that the next linear solve may leave.
   pure real(rk) function next_share(now, before, enough)
      real(rk), intent(in) :: now    !! size of the residual [m]
      real(rk), intent(in) :: before !! size of the residual before [m]
      real(rk), intent(in) :: enough !! share at which the tolerance is met [1]
      next_share = walker*(now/before)**walker_power
      next_share = min(max(next_share, least_share, aim*enough), first_share)
   end function next_share

   !> Storage at the start, and the way of the water over land.
   subroutine start_step(model, held)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(out) :: held !! water of this rank [m]
      real(rk) :: ground, surface
      integer :: j
      call evaluate(model)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         model%flips(:, :, j) = 0_int8
         model%runoff(:, j) = 0.0_rk
         model%storage_old(:, :, j) = model%storage(1:model%nx, :, j)
         model%pond_old(:, j) = max(model%head(1:model%nx, 1, j), 0.0_rk)
         if (model%has_source) model%met_source(:, :, j) = model%source(:, :, j)
         model%met_rain(:, j) = model%rain(:, j)
      end do
      call sum_water(model, ground, surface)
      held = ground + surface
      if (model%options%overland == overland_diffusive) call follow_surface(model)
   end subroutine start_step

   !> Friction slope and order of the columns by the water surface as it stands.
   !>
   !> The friction slope of a cell takes its faces in the east and north; for a rim in the west or south, that face. At a
   !> rim that lets water out it falls to the ground, at a closed one it does not fall.
   subroutine follow_surface(model)
      type(flow_model_type), intent(inout) :: model
      real(rk), allocatable :: friction(:, :, :), depth(:, :), forth_x(:, :), forth_y(:, :) ! large: not for the stack
      real(rk) :: fall_x, fall_y, slope_x, slope_y
      logical :: is_west, is_south
      integer :: i, j, nx, ny
      nx = model%nx
      ny = model%ny
      allocate (friction(0:nx + 1, 1, 0:ny + 1), depth(0:nx + 1, 0:ny + 1), forth_x(0:nx, ny), forth_y(nx, 0:ny), source=0.0_rk)
      depth(:, :) = max(model%head(:, 1, :), 0.0_rk)*model%exists
      do j = 1, ny
         do i = 1, nx
            slope_x = model%bed_x(i, j) + rise(depth(i, j), depth(i + 1, j), model%rim_x(i, j), model%over_x(i, j))/model%dx
            slope_y = model%bed_y(i, j) + rise(depth(i, j), depth(i, j + 1), model%rim_y(i, j), model%over_y(i, j))/model%dy
            friction(i, 1, j) = root_of(model, slope_x, slope_y)
         end do
      end do
      call exchange_halo(model%exchange, nx, 1, ny, friction)
      model%friction_x = friction(0:nx, 1, 1:ny)
      model%friction_y = friction(1:nx, 1, 0:ny)
      do j = 1, ny
         do i = 1, nx
            is_west = model%exists(i - 1, j) < 0.5_rk .and. abs(model%over_x(i - 1, j)) > 0.0_rk
            is_south = model%exists(i, j - 1) < 0.5_rk .and. abs(model%over_y(i, j - 1)) > 0.0_rk
            if (model%exists(i, j) < 0.5_rk .or. .not. (is_west .or. is_south)) cycle
            fall_x = rise(depth(i, j), depth(i + 1, j), model%rim_x(i, j), model%over_x(i, j))
            fall_y = rise(depth(i, j), depth(i, j + 1), model%rim_y(i, j), model%over_y(i, j))
            slope_x = merge(model%bed_x(i - 1, j) + depth(i, j)/model%dx, model%bed_x(i, j) + fall_x/model%dx, is_west)
            slope_y = merge(model%bed_y(i, j - 1) + depth(i, j)/model%dy, model%bed_y(i, j) + fall_y/model%dy, is_south)
            if (is_west) model%friction_x(i - 1, j) = root_of(model, slope_x, slope_y)
            if (is_south) model%friction_y(i, j - 1) = root_of(model, slope_x, slope_y)
         end do
      end do
      do j = 1, ny
         do i = 0, nx
            forth_x(i, j) = (1.0_rk - model%rim_x(i, j))*((depth(i, j) - depth(i + 1, j))/model%dx - model%bed_x(i, j))
         end do
      end do
      do j = 0, ny
         do i = 1, nx
            forth_y(i, j) = (1.0_rk - model%rim_y(i, j))*((depth(i, j) - depth(i, j + 1))/model%dy - model%bed_y(i, j))
         end do
      end do
      call order_downstream(nx, ny, forth_x, forth_y, model%order)
   end subroutine follow_surface

   !> Rise of the water from a cell to the next one in the east or north; to the ground over an open rim, none at a closed one.
   pure real(rk) function rise(here, next, rim, conveyance)
      real(rk), intent(in) :: here, next !! depths [m]
      real(rk), intent(in) :: rim        !! 1 for a face to the outside
      real(rk), intent(in) :: conveyance !! of the face, 0: closed
      rise = next - here
      if (rim > 0.5_rk .and. abs(conveyance) <= 0.0_rk) rise = 0.0_rk
   end function rise

   !> Inverse root of the size of a slope, not less than the least slope.
   pure real(rk) function root_of(model, slope_x, slope_y)
      type(flow_model_type), intent(in) :: model
      real(rk), intent(in) :: slope_x, slope_y !! [1]
      root_of = 1.0_rk/sqrt(max(hypot(slope_x, slope_y), model%options%slope_floor))
   end function root_of

   !> Move the heads by the solution in fine%x, which becomes what they really moved.
   subroutine move_heads(model, dt, iteration)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt       !! [s]
      integer, intent(in) :: iteration !! of the step, from 1 [1]
      real(rk) :: aim(model%nx)
      integer :: i, j, n
      model%is_evaluated = .false.
      n = (model%nx + 2)*model%nz
      !$omp parallel do schedule(static) private(i, aim)
      do j = 1, model%ny
         if (model%options%overland /= overland_none) then
            aim = model%head(1:model%nx, 1, j) - model%fine%x(1:model%nx, 1, j)
            call drained_head(model%nx, dt*model%drain(:, j), model%head(1:model%nx, 1, j), aim)
            model%fine%x(1:model%nx, 1, j) = model%head(1:model%nx, 1, j) - aim
         end if
         do i = 1, model%nx ! the linear solve is inexact, a pond that runs off is not
            if (model%runoff(i, j) > 0.0_rk) model%fine%x(i, 1, j) = model%head(i, 1, j) - model%options%ponding_depth
         end do
         if (model%has_ice) then
            call move_cells(model%soil, n, model%nx + 2, iteration, model%class(:, :, j), .true., model%ice(:, :, j), &
                            model%storage(:, :, j), model%capacity(:, :, j), model%fine%x(:, :, j), model%flips(:, :, j), &
                            model%head(:, :, j))
         else
            call move_cells(model%soil, n, model%nx + 2, iteration, model%class(:, :, j), .false., model%ice, &
                            model%storage(:, :, j), model%capacity(:, :, j), model%fine%x(:, :, j), model%flips(:, :, j), &
                            model%head(:, :, j))
         end if
      end do
   end subroutine move_heads

   !> Move the heads of `n` cells; the first `top` of them are top cells.
   subroutine move_cells(soil, n, top, iteration, class, has_ice, ice, storage, capacity, x, flips, head)
      type(flow_soil_type), intent(in) :: soil
      integer, intent(in) :: n, top, iteration
      integer, intent(in) :: class(n)        !! [1]
      logical, intent(in) :: has_ice
      real(rk), intent(in) :: ice(merge(n, 1, has_ice)) !! [m3 m-3]
      real(rk), intent(in) :: storage(n)     !! at the head [m3 m-3]
      real(rk), intent(in) :: capacity(n)    !! [m-1]
      real(rk), intent(inout) :: x(n)        !! in: minus the step of Newton's method; out: the change of the head [m]
      integer(int8), intent(inout) :: flips(n) !! times that a cell has left saturation in this step [1]
      real(rk), intent(inout) :: head(n)     !! [m]
      type(class_parameters_type) :: now
      real(rk), dimension(w) :: heads, change, ices, stored, rate, water, held, jump, moved, free, jumps, rough, release
      integer :: classes(w), c, first, i, loaded, m
      real(rk) :: share
      share = merge(0.5_rk, 1.0_rk, iteration > patience)
      free = 0.0_rk
      ices = 0.0_rk
      loaded = 0
      do first = 1, n, w
         m = min(w, n - first + 1)
         do i = 1, w
            c = first + min(i, m) - 1
            classes(i) = class(c)
            heads(i) = head(c)
            change(i) = -x(c)
            stored(i) = storage(c)
            rate(i) = capacity(c)
            if (has_ice) ices(i) = ice(c)
         end do
         call load_if_new(soil, classes, has_ice, ices, loaded, now)
         if (all(abs(change) <= smooth_head)) then
            if (all((heads >= -now%entry) .eqv. (heads + change >= -now%entry))) then
               do i = 1, m
                  x(first + i - 1) = change(i)
                  head(first + i - 1) = heads(i) + change(i)
               end do
               cycle
            end if
         end if
         call lane_water(now, heads, stored, rate, water, held)
         rough = 0.0_rk
         do i = 1, w
            release(i) = (now%release(i) + now%entry(i))*nearer**flips(first + min(i, m) - 1) - now%entry(i)
         end do
         call propose_head(now%entry, release, now%residual, now%air_dry_water, soil%table%air_dry_head, 0.0_rk, share, free, &
                           heads, change, water, held, moved, jumps, rough)
         if (any(jumps > 0.5_rk)) then
            do i = 1, w
               water(i) = min(water(i), now%porosity(i))
            end do
            call invert_lanes(soil, now, water, jump)
            do i = 1, w
               jump(i) = merge(0.0_rk, jump(i), first + i - 1 <= top .and. jump(i) >= -now%entry(i))
               moved(i) = merge(jump(i), moved(i), jumps(i) > 0.5_rk)
            end do
         end if
         do i = 1, m
            if (heads(i) >= -now%entry(i) .and. moved(i) < -now%entry(i)) then
               flips(first + i - 1) = min(flips(first + i - 1) + 1_int8, most_flips)
            end if
            head(first + i - 1) = min(max(moved(i), driest_head), wettest_head)
            x(first + i - 1) = head(first + i - 1) - heads(i)
         end do
      end do
   end subroutine move_cells

end module pl_flow_newton
