!> Residual and Jacobian of a backward Euler step of the distributed subsurface.
!>
!> Mixed form (Celia et al. 1990, Water Resour. Res. 26, 1483-1496, eq. 15) on cell-centred volumes (Jones and Woodward
!> 2001, Adv. Water Resour. 24, 763-774): for each cell, as depth of water on the area of its column,
!>    dz (storage - storage_old) + pond - pond_old + dt (outflow through faces - source - rain) = 0   [m]
!> with the relative conductivity of the cell whose total head is higher. Residual and exact Jacobian come from one sweep.
module pl_flow_system
   use, intrinsic :: omp_lib, only: omp_get_max_threads
   use pl_flow_columns, only: factor_row
   use pl_flow_exchange, only: exchange_halo, largest_over_ranks
   use pl_flow_model, only: flow_model_type, kind_drainage, kind_flux, kind_head
   use pl_flow_overland, only: diffusive_face, kinematic_face, overland_diffusive, overland_kinematic, overland_none, wave_power
   use pl_flow_soil, only: evaluate_cells
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: assemble, evaluate, sum_water

contains

   !> Storage and conductivity of all cells at their heads, unless they are there on all ranks.
   subroutine evaluate(model)
      type(flow_model_type), intent(inout) :: model
      integer :: j
      real(rk) :: missing(1)
      missing = merge(0.0_rk, 1.0_rk, model%is_evaluated)
      call largest_over_ranks(model%exchange, missing)
      if (missing(1) < 0.5_rk) return
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%head)
      !$omp parallel do schedule(static)
      do j = 0, model%ny + 1
         call evaluate_row(model, j)
      end do
      model%is_evaluated = .true.
   end subroutine evaluate

   !> Water of this rank at the evaluated heads, as depth on a column, summed over columns.
   subroutine sum_water(model, ground, surface)
      type(flow_model_type), intent(in) :: model
      real(rk), intent(out) :: ground  !! in cells that exist [m]
      real(rk), intent(out) :: surface !! in ponds [m]
      real(rk), dimension(model%ny) :: in_ground, on_ground
      integer :: i, j, k
      !$omp parallel do schedule(static) private(i, k)
      do j = 1, model%ny
         in_ground(j) = 0.0_rk
         on_ground(j) = 0.0_rk
         do k = 1, model%nz
            do i = 1, model%nx
               if (model%class(i, k, j) <= model%soil%nclass) in_ground(j) = in_ground(j) + model%dz(k)*model%storage(i, k, j)
            end do
         end do
         do i = 1, model%nx
            on_ground(j) = on_ground(j) + model%pond(i, j)*max(model%head(i, 1, j), 0.0_rk)
         end do
      end do
      ground = sum(in_ground)
      surface = sum(on_ground)
   end subroutine sum_water

   !> Storage and conductivity of one row.
   subroutine evaluate_row(model, j)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      integer :: n
      n = (model%nx + 2)*model%nz
      if (model%has_ice) then
         call evaluate_cells(model%soil, n, model%class(:, :, j), model%head(:, :, j), .true., model%ice(:, :, j), &
                             model%storage(:, :, j), model%capacity(:, :, j), model%relative(:, :, j), model%slope(:, :, j))
      else
         call evaluate_cells(model%soil, n, model%class(:, :, j), model%head(:, :, j), .false., model%ice, &
                             model%storage(:, :, j), model%capacity(:, :, j), model%relative(:, :, j), model%slope(:, :, j))
      end if
   end subroutine evaluate_row

   !> Residual, Jacobian and its eliminated columns; sums of rows: square, largest, signed.
   !>
   !> Each thread has a strip of rows. After the rows at the rims of strips, which two threads read, a row is evaluated
   !> just before the row south of it is assembled: what it holds is still in cache then.
   subroutine assemble(model, dt, is_evaluated, square, largest, signed)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt             !! [s]
      logical, intent(in) :: is_evaluated    !! all cells at the present heads
      real(rk), intent(out) :: square(:)     !! (ny) sum of squares of the residual [m2]
      real(rk), intent(out) :: largest(:)    !! (ny) largest size of the residual [m]
      real(rk), intent(out) :: signed(:)     !! (ny) sum of the residual [m]
      integer :: first, j, last, strip, strips
      strips = min(omp_get_max_threads(), model%ny)
      if (.not. is_evaluated) then
         call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%head)
         !$omp parallel do schedule(static) private(first, last)
         do strip = 1, strips
            first = (strip - 1)*model%ny/strips + 1
            last = strip*model%ny/strips
            call evaluate_row(model, first)
            if (last > first) call evaluate_row(model, last)
            if (strip == 1) call evaluate_row(model, 0)
            if (strip == strips) call evaluate_row(model, model%ny + 1)
         end do
      end if
      !$omp parallel do schedule(static) private(first, last, j)
      do strip = 1, strips
         first = (strip - 1)*model%ny/strips + 1
         last = strip*model%ny/strips
         do j = first, last
            if (.not. is_evaluated .and. j + 1 < last) call evaluate_row(model, j + 1)
            call assemble_one(model, dt, j, square(j), largest(j), signed(j))
         end do
      end do
   end subroutine assemble

   !> One row of the system.
   subroutine assemble_one(model, dt, j, square, largest, signed)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt       !! [s]
      integer, intent(in) :: j
      real(rk), intent(out) :: square  !! [m2]
      real(rk), intent(out) :: largest !! [m]
      real(rk), intent(out) :: signed  !! [m]
      if (model%has_ice) then
         call assemble_frozen(model, dt, j)
      else
         call assemble_ground(model, dt, j, model%kx(:, :, j), model%ky(:, :, j - 1:j), model%kz(:, :, j))
      end if
      if (model%has_source) model%residual(:, :, j) = model%residual(:, :, j) - dt*model%source(:, :, j)
      call add_surface(model, j, dt)
      call add_boundaries(model, j, dt)
      call hold_dry(model, j, dt)
      if (model%options%overland == overland_none) call let_off(model, j)
      call factor_row(model%nx, model%nz, model%fine%centre(:, :, j), model%fine%up(:, :, j), model%fine%down(:, :, j), &
                      model%fine%pivot(:, :, j))
      call judge_row(model%nx*model%nz, model%residual(:, :, j), square, largest, signed)
   end subroutine assemble_one

   !> Ground of one row whose faces have these conductances.
   subroutine assemble_ground(model, dt, j, kx, ky, kz)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt !! [s]
      integer, intent(in) :: j
      real(rk), intent(in) :: kx(0:model%nx, model%nz), ky(model%nx, model%nz, -1:0), kz(model%nx, model%nz) !! see model
      call assemble_row(model%nx, model%nz, dt, model%dz, model%drop, model%head(:, :, j - 1:j + 1), &
                        model%relative(:, :, j - 1:j + 1), model%slope(:, :, j - 1:j + 1), model%storage(:, :, j), &
                        model%capacity(:, :, j), model%storage_old(:, :, j), kx, ky, kz, model%cos_x(:, j), &
                        model%sin_x(:, j), model%cos_y(:, j - 1:j), model%sin_y(:, j - 1:j), model%residual(:, :, j), &
                        model%fine%centre(:, :, j), model%fine%west(:, :, j), model%fine%east(:, :, j), &
                        model%fine%south(:, :, j), model%fine%north(:, :, j), model%fine%up(:, :, j), &
                        model%fine%down(:, :, j))
   end subroutine assemble_ground

   !> The same where there is ice: a face has the geometric mean of the factors of its cells, that is the impedance of
   !> the mean of their ice (Swenson, Lawrence and Lee 2012, J. Adv. Model. Earth Syst. 4, M08002), whichever is upstream.
   subroutine assemble_frozen(model, dt, j)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt !! [s]
      integer, intent(in) :: j
      real(rk) :: kx(0:model%nx, model%nz), ky(model%nx, model%nz, -1:0), kz(model%nx, model%nz)
      integer :: k, nx
      nx = model%nx
      associate (factor => model%impedance)
         do k = 1, model%nz
            kx(:, k) = model%kx(:, k, j)*sqrt(factor(0:nx, k, j)*factor(1:nx + 1, k, j))
            ky(:, k, -1) = model%ky(:, k, j - 1)*sqrt(factor(1:nx, k, j - 1)*factor(1:nx, k, j))
            ky(:, k, 0) = model%ky(:, k, j)*sqrt(factor(1:nx, k, j)*factor(1:nx, k, j + 1))
            kz(:, k) = model%kz(:, k, j)
            if (k < model%nz) kz(:, k) = kz(:, k)*sqrt(factor(1:nx, k, j)*factor(1:nx, k + 1, j))
         end do
      end associate
      call assemble_ground(model, dt, j, kx, ky, kz)
   end subroutine assemble_frozen

   !> Sum of squares, largest size and sum of a row, in a fixed order.
   pure subroutine judge_row(n, residual, square, largest, signed)
      integer, intent(in) :: n
      real(rk), intent(in) :: residual(n) !! [m]
      real(rk), intent(out) :: square     !! [m2]
      real(rk), intent(out) :: largest    !! [m]
      real(rk), intent(out) :: signed     !! [m]
      integer, parameter :: lanes = 16    !! partial sums, so that the loop vectorises in a fixed order
      real(rk) :: squares(lanes), tops(lanes), sums(lanes)
      integer :: first, i
      squares = 0.0_rk
      tops = 0.0_rk
      sums = 0.0_rk
      do first = 1, n - lanes + 1, lanes
         do i = 1, lanes
            squares(i) = squares(i) + residual(first + i - 1)**2
            tops(i) = max(tops(i), abs(residual(first + i - 1)))
            sums(i) = sums(i) + residual(first + i - 1)
         end do
      end do
      do i = n - mod(n, lanes) + 1, n
         squares(1) = squares(1) + residual(i)**2
         tops(1) = max(tops(1), abs(residual(i)))
         sums(1) = sums(1) + residual(i)
      end do
      square = sum(squares)
      largest = maxval(tops)
      signed = sum(sums)
   end subroutine judge_row

   !> Ground of one row: storage and the six faces of each cell.
   subroutine assemble_row(nx, nz, dt, dz, drop, head, relative, slope, storage, capacity, storage_old, kx, ky, kz, &
                           cos_x, sin_x, cos_y, sin_y, residual, centre, west, east, south, north, up, down)
      integer, intent(in) :: nx, nz
      real(rk), intent(in) :: dt         !! [s]
      real(rk), intent(in) :: dz(nz)     !! [m]
      real(rk), intent(in) :: drop(nz)   !! from a node to the one below [m]
      real(rk), intent(in), dimension(0:nx + 1, nz, -1:1) :: head, relative, slope !! of the rows south, here, north
      real(rk), intent(in), dimension(0:nx + 1, nz) :: storage, capacity
      real(rk), intent(in) :: storage_old(nx, nz)
      real(rk), intent(in) :: kx(0:nx, nz), ky(nx, nz, -1:0), kz(nx, nz)
      real(rk), intent(in) :: cos_x(0:nx), sin_x(0:nx), cos_y(nx, -1:0), sin_y(nx, -1:0)
      real(rk), intent(out), dimension(nx, nz) :: residual, centre, west, east, south, north, up, down
      real(rk), dimension(0:nx) :: flow, by_before, by_behind
      real(rk), dimension(nx) :: flow_s, by_s, by_s_here, flow_n, by_n_here, by_n, above, by_above, by_above_here
      real(rk) :: below, by_below_here, by_below
      integer :: i, k
      above = 0.0_rk
      by_above = 0.0_rk
      by_above_here = 0.0_rk
      do k = 1, nz
         call ground_faces(nx + 1, dt, kx(:, k), cos_x, sin_x, head(0:nx, k, 0), head(1:nx + 1, k, 0), relative(0:nx, k, 0), &
                           relative(1:nx + 1, k, 0), slope(0:nx, k, 0), slope(1:nx + 1, k, 0), flow, by_before, by_behind)
         call ground_faces(nx, dt, ky(:, k, -1), cos_y(:, -1), sin_y(:, -1), head(1:nx, k, -1), head(1:nx, k, 0), &
                           relative(1:nx, k, -1), relative(1:nx, k, 0), slope(1:nx, k, -1), slope(1:nx, k, 0), flow_s, by_s, &
                           by_s_here)
         call ground_faces(nx, dt, ky(:, k, 0), cos_y(:, 0), sin_y(:, 0), head(1:nx, k, 0), head(1:nx, k, 1), &
                           relative(1:nx, k, 0), relative(1:nx, k, 1), slope(1:nx, k, 0), slope(1:nx, k, 1), flow_n, &
                           by_n_here, by_n)
         do i = 1, nx
            residual(i, k) = dz(k)*(storage(i, k) - storage_old(i, k)) + (flow(i) - flow(i - 1)) &
                             + (flow_n(i) - flow_s(i)) - above(i)
            centre(i, k) = dz(k)*capacity(i, k) + (by_before(i) - by_behind(i - 1)) + (by_n_here(i) - by_s_here(i)) &
                           - by_above_here(i)
            west(i, k) = -by_before(i - 1)
            east(i, k) = by_behind(i)
            south(i, k) = -by_s(i)
            north(i, k) = by_n(i)
            up(i, k) = -by_above(i)
         end do
         if (k == nz) then
            down(:, k) = 0.0_rk
            exit
         end if
         do i = 1, nx
            call upstream(dt*kz(i, k), 1.0_rk, -drop(k), head(i, k, 0), head(i, k + 1, 0), relative(i, k, 0), &
                          relative(i, k + 1, 0), slope(i, k, 0), slope(i, k + 1, 0), below, by_below_here, by_below)
            residual(i, k) = residual(i, k) + below
            centre(i, k) = centre(i, k) + by_below_here
            down(i, k) = by_below
            above(i) = below
            by_above(i) = by_below_here
            by_above_here(i) = by_below
         end do
      end do
   end subroutine assemble_row

   !> Flow through `n` faces of one direction and its derivatives to the heads before and behind them.
   pure subroutine ground_faces(n, dt, conductance, cosine, sine, head_before, head_behind, relative_before, relative_behind, &
                                slope_before, slope_behind, flow, by_before, by_behind)
      integer, intent(in) :: n
      real(rk), intent(in) :: dt !! [s]
      real(rk), intent(in), dimension(n) :: conductance, cosine, sine, head_before, head_behind, relative_before, &
                                            relative_behind, slope_before, slope_behind
      real(rk), intent(out), dimension(n) :: flow, by_before, by_behind !! [m], [1], [1]
      integer :: i
      do i = 1, n
         call upstream(dt*conductance(i), cosine(i), sine(i), head_before(i), head_behind(i), relative_before(i), &
                       relative_behind(i), slope_before(i), slope_behind(i), flow(i), by_before(i), by_behind(i))
      end do
   end subroutine ground_faces

   !> Darcy flow through one face with the relative conductivity of the cell whose total head is higher.
   elemental pure subroutine upstream(conductance, cosine, sine, head_before, head_behind, relative_before, relative_behind, &
                                      slope_before, slope_behind, flow, by_before, by_behind)
      real(rk), intent(in) :: conductance     !! times the step
      real(rk), intent(in) :: cosine, sine    !! gradient = cosine*(difference of heads) - sine
      real(rk), intent(in) :: head_before, head_behind         !! [m]
      real(rk), intent(in) :: relative_before, relative_behind !! [1]
      real(rk), intent(in) :: slope_before, slope_behind       !! [m-1]
      real(rk), intent(out) :: flow                            !! [m]
      real(rk), intent(out) :: by_before, by_behind            !! [1]
      real(rk) :: gradient, forth, relative
      gradient = (head_before - head_behind)*cosine - sine
      forth = merge(1.0_rk, 0.0_rk, gradient >= 0.0_rk)
      relative = forth*relative_before + (1.0_rk - forth)*relative_behind
      flow = conductance*relative*gradient
      by_before = conductance*(relative*cosine + forth*slope_before*gradient)
      by_behind = conductance*((1.0_rk - forth)*slope_behind*gradient - relative*cosine)
   end subroutine upstream

   !> Pond, rain and overland flow of one row.
   subroutine add_surface(model, j, dt)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      real(rk), intent(in) :: dt !! [s]
      integer :: i
      do i = 1, model%nx
         associate (head => model%head(i, 1, j), pond => model%pond(i, j))
            model%residual(i, 1, j) = model%residual(i, 1, j) + pond*(max(head, 0.0_rk) - model%pond_old(i, j) &
                                                                      - dt*model%rain(i, j))
            model%fine%centre(i, 1, j) = model%fine%centre(i, 1, j) + merge(pond, 0.0_rk, head >= 0.0_rk)
         end associate
      end do
      model%rim(:, j) = 0.0_rk
      model%spread(:, j) = 0.0_rk
      model%over(:, j, :) = 0.0_rk
      if (model%options%overland == overland_none) return
      if (any(model%head(:, 1, j - 1:j + 1) > 0.0_rk)) call add_overland(model, j, dt)
   end subroutine add_surface

   !> Overland flow of one row.
   subroutine add_overland(model, j, dt)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      real(rk), intent(in) :: dt !! [s]
      real(rk), dimension(0:model%nx + 1, -1:1) :: depth, power
      real(rk), dimension(0:model%nx) :: flow, before, behind
      real(rk), dimension(model%nx) :: flow_s, before_s, behind_s, flow_n, before_n, behind_n
      integer :: i, nx, row
      nx = model%nx
      do row = -1, 1
         call wave_power(nx + 2, model%head(:, 1, j + row)*model%exists(:, j + row), depth(:, row), power(:, row))
      end do
      call overland_faces(model, nx + 1, .true., model%over_x(:, j), model%bed_x(:, j), model%friction_x(:, j), &
                          depth(0:nx, 0), power(0:nx, 0), depth(1:nx + 1, 0), power(1:nx + 1, 0), flow, before, behind)
      call overland_faces(model, nx, .false., model%over_y(:, j - 1), model%bed_y(:, j - 1), model%friction_y(:, j - 1), &
                          depth(1:nx, -1), power(1:nx, -1), depth(1:nx, 0), power(1:nx, 0), flow_s, before_s, &
                          behind_s)
      call overland_faces(model, nx, .false., model%over_y(:, j), model%bed_y(:, j), model%friction_y(:, j), &
                          depth(1:nx, 0), power(1:nx, 0), depth(1:nx, 1), power(1:nx, 1), flow_n, before_n, behind_n)
      do i = 1, nx
         if (model%exists(i, j) < 0.5_rk) cycle ! what leaves over a rim is gone
         model%spread(i, j) = (flow(i) - flow(i - 1)) + (flow_n(i) - flow_s(i))
         model%residual(i, 1, j) = model%residual(i, 1, j) + dt*model%spread(i, j)
         model%fine%centre(i, 1, j) = model%fine%centre(i, 1, j) + dt*((before(i) - behind(i - 1)) + (before_n(i) - behind_s(i)))
         model%over(i, j, 1) = -dt*before(i - 1)
         model%over(i, j, 2) = dt*behind(i)
         model%over(i, j, 3) = -dt*before_s(i)
         model%over(i, j, 4) = dt*behind_n(i)
         model%fine%west(i, 1, j) = model%fine%west(i, 1, j) + model%over(i, j, 1)
         model%fine%east(i, 1, j) = model%fine%east(i, 1, j) + model%over(i, j, 2)
         model%fine%south(i, 1, j) = model%fine%south(i, 1, j) + model%over(i, j, 3)
         model%fine%north(i, 1, j) = model%fine%north(i, 1, j) + model%over(i, j, 4)
         model%rim(i, j) = model%rim_x(i, j)*flow(i) - model%rim_x(i - 1, j)*flow(i - 1) &
                           + model%rim_y(i, j)*flow_n(i) - model%rim_y(i, j - 1)*flow_s(i)
      end do
   end subroutine add_overland

   !> Overland flow through `n` faces by the scheme of the model.
   subroutine overland_faces(model, n, is_x, conveyance, bed, friction, depth_before, power_before, depth_behind, &
                             power_behind, flow, by_before, by_behind)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: n
      logical, intent(in) :: is_x !! faces in x, else in y
      real(rk), intent(in), dimension(n) :: conveyance, bed, friction, depth_before, power_before, depth_behind, power_behind
      real(rk), intent(out), dimension(n) :: flow, by_before, by_behind !! [m s-1], [s-1], [s-1]
      if (model%options%overland == overland_kinematic) then
         call kinematic_face(n, conveyance, depth_before, power_before, depth_behind, power_behind, flow, by_before, by_behind)
      else if (model%options%overland == overland_diffusive) then
         call diffusive_face(n, conveyance, merge(model%dx, model%dy, is_x), bed, friction, depth_before, power_before, &
                             depth_behind, power_behind, flow, by_before, by_behind)
      end if
   end subroutine overland_faces

   !> Sinks and evaporation take no more than what keeps a cell above the air-dry head.
   !>
   !> Head >= air-dry head, less taken than asked for >= 0, one of them with equality, as in `let_off`: where a cell that is
   !> asked for water would be drier, its head is given and the balance says what it can give. Evaporation is cut first.
   subroutine hold_dry(model, j, dt)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      real(rk), intent(in) :: dt !! [s]
      real(rk) :: above, cut, deficit, evaporation, sink
      integer :: i, k
      if (.not. (model%has_source .or. any(model%rain(:, j) < 0.0_rk))) return
      do k = 1, merge(model%nz, 1, model%has_source)
         do i = 1, model%nx
            sink = dt*max(-model%source(i, k, j), 0.0_rk)
            evaporation = 0.0_rk
            if (k == 1) evaporation = dt*model%pond(i, j)*max(-model%rain(i, j), 0.0_rk)
            if (sink + evaporation <= 0.0_rk) cycle
            above = model%head(i, k, j) - model%soil%table%air_dry_head
            deficit = model%residual(i, k, j) - model%fine%centre(i, k, j)*above
            cut = dt*(model%met_source(i, k, j) - model%source(i, k, j)) ! at the iterate before
            if (k == 1) cut = cut + dt*(model%met_rain(i, j) - model%rain(i, j))
            if (deficit <= 0.0_rk .or. (above > 0.0_rk .and. cut <= 0.0_rk)) then
               deficit = 0.0_rk
            else if (deficit < sink + evaporation) then
               model%residual(i, k, j) = model%fine%centre(i, k, j)*above
               model%fine%west(i, k, j) = 0.0_rk
               model%fine%east(i, k, j) = 0.0_rk
               model%fine%south(i, k, j) = 0.0_rk
               model%fine%north(i, k, j) = 0.0_rk
               model%fine%up(i, k, j) = 0.0_rk
               model%fine%down(i, k, j) = 0.0_rk
               if (k == 1) model%over(i, j, :) = 0.0_rk
            else ! it is drier than that by itself
               deficit = sink + evaporation
               model%residual(i, k, j) = model%residual(i, k, j) - deficit
            end if
            if (k == 1) model%met_rain(i, j) = model%rain(i, j) + min(deficit, evaporation)/dt
            if (sink > 0.0_rk) model%met_source(i, k, j) = model%source(i, k, j) + max(deficit - evaporation, 0.0_rk)/dt
         end do
      end do
   end subroutine hold_dry

   !> Without overland flow, water above the ponding depth leaves within the step.
   !>
   !> Runoff >= 0, depth <= ponding depth, one of them with equality: where the pond is full and more water comes than its
   !> cell takes, the depth is given and runoff is what the balance leaves (a primal-dual active set: Hintermueller, Ito
   !> and Kunisch 2002, SIAM J. Optim. 13, 865-888). What it would leave at the given depth is taken from the tangent.
   subroutine let_off(model, j)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      real(rk) :: above, surplus
      integer :: i
      do i = 1, model%nx
         above = model%head(i, 1, j) - model%options%ponding_depth
         surplus = model%fine%centre(i, 1, j)*above - model%residual(i, 1, j)
         if (model%pond(i, j) < 0.5_rk .or. surplus <= 0.0_rk .or. (above < 0.0_rk .and. model%runoff(i, j) <= 0.0_rk)) then
            model%runoff(i, j) = 0.0_rk
            cycle
         end if
         model%runoff(i, j) = surplus
         model%residual(i, 1, j) = above
         model%fine%centre(i, 1, j) = 1.0_rk
         model%fine%west(i, 1, j) = 0.0_rk
         model%fine%east(i, 1, j) = 0.0_rk
         model%fine%south(i, 1, j) = 0.0_rk
         model%fine%north(i, 1, j) = 0.0_rk
         model%fine%down(i, 1, j) = 0.0_rk
      end do
   end subroutine let_off

   !> Conditions at the outside of one row.
   subroutine add_boundaries(model, j, dt)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      real(rk), intent(in) :: dt !! [s]
      real(rk) :: by_head, conductance, gradient
      integer :: f
      if (model%faces%count == 0) return
      associate (faces => model%faces)
         do f = faces%first(j), faces%first(j + 1) - 1
            associate (i => faces%column(f), k => faces%layer(f))
               associate (head => model%head(i, k, j), relative => model%relative(i, k, j), slope => model%slope(i, k, j))
                  conductance = faces%conductance(f)
                  if (model%has_ice) conductance = conductance*model%impedance(i, k, j)
                  select case (faces%kind(f))
                  case (kind_head)
                     gradient = faces%value(f) + faces%lift(f) - head
                     if (gradient > 0.0_rk) then
                        faces%inflow(f) = conductance*faces%relative(f)*gradient
                        by_head = -conductance*faces%relative(f)
                     else
                        faces%inflow(f) = conductance*relative*gradient
                        by_head = conductance*(slope*gradient - relative)
                     end if
                  case (kind_flux)
                     faces%inflow(f) = faces%value(f)
                     by_head = 0.0_rk
                  case (kind_drainage)
                     faces%inflow(f) = -conductance*relative
                     by_head = -conductance*slope
                  case default ! seepage
                     faces%inflow(f) = -conductance*relative*max(head, 0.0_rk)
                     by_head = -merge(conductance*relative, 0.0_rk, head > 0.0_rk)
                  end select
                  model%residual(i, k, j) = model%residual(i, k, j) - dt*faces%inflow(f)
                  model%fine%centre(i, k, j) = model%fine%centre(i, k, j) - dt*by_head
               end associate
            end associate
         end do
      end associate
   end subroutine add_boundaries

end module pl_flow_system
