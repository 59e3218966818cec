!> One Newton iteration of Richards' equation in a chunk of columns.
!>
!> Mixed form (Celia et al. 1990, Water Resour. Res. 26, 1483-1496, eq. 15) with backward Euler: for every layer
!>    thickness*(storage(psi) - storage_old) + dt*(flux_below - flux_above + sink) = 0   [m]
!> with the exact Jacobian and a tridiagonal solve. Where the head would jump, the step is taken in water content
!> instead (pl_head_step).
!> A sink stops where the layer is air dry: min(F, max(F - dt*sink, water above air-dry water)) = 0, where F is the
!> balance with the full sink, switches between supply and demand inside the iteration.
module pl_richards_newton
   use pl_chunk, only: w => chunk_width
   use pl_head_step, only: propose_head, smooth_head
   use pl_kinds, only: rk
   use pl_richards_flux, only: base_flux, inner_fluxes, surface_flux, surface_head_flux
   use pl_soil_hydraulics, only: driest_head, evaluate_soil_hydraulics, layer_head_from_water, soil_hydraulics_type, &
                                 wettest_head
   implicit none (type, external)
   private
   public :: column_problem_type, newton_iteration

   real(rk), parameter :: balance_share = 0.5_rk  !! of the water of a dry layer that its residual may be [1]
   real(rk), parameter :: least_balance = 1.0e-9_rk  !! residual that is always small [m]
   real(rk), parameter :: next_to_nothing = 1.0e-6_rk !! water that says nothing about the head [m3 m-3]
   real(rk), parameter :: largest_wetting = 0.9_rk !! decrease of suction in one iteration, relative [1]
   integer, parameter :: patience = 6              !! iterations before steps across a kink are halved [1]
   real(rk), parameter :: least_pivot = 1.0e-10_rk !! of the tridiagonal solve, relative to the diagonal [1]

   !> What stays fixed while Newton iterates: boundaries of a sub-step of each column.
   type :: column_problem_type
      integer :: lower_boundary = 0      !! pl_richards_flux: lower_*
      logical :: has_surface_head = .false. !! surface held at a head instead of receiving water
      real(rk) :: surface_head = 0.0_rk  !! [m]
      real(rk) :: ponding_depth = 0.0_rk !! [m]
      real(rk) :: tolerance = 0.0_rk     !! largest residual before the last linear solve [m]
      real(rk) :: dt(w)                  !! sub-step [s]
      real(rk) :: supply(w)              !! water at hand on the surface, per sub-step [m s-1]
      real(rk) :: surface_k(w)           !! conductivity of the top layer at surface_head [m s-1]
      real(rk) :: base_head(w)           !! head at the base for a water table [m]
      real(rk) :: base_k(w)              !! conductivity of the lowest layer at base_head [m s-1]
   end type column_problem_type

contains

   !> Evaluate, solve, update; columns that are not `running` keep everything they have.
   subroutine newton_iteration(nlayer, iteration, problem, hydraulics, thickness, half, factor, storage_old, sink, &
      running, head, &
                               flux, actual_sink, converged)
      integer, intent(in) :: nlayer                       !! layers [1]
      integer, intent(in) :: iteration                    !! of this sub-step, from 1 [1]
      type(column_problem_type), intent(in) :: problem
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: thickness(w, nlayer)        !! [m]
      real(rk), intent(in) :: half(w, nlayer)             !! half thickness [m]
      real(rk), intent(in) :: factor(w, nlayer)           !! capillary_scale of lower faces [1]
      real(rk), intent(in) :: storage_old(w, nlayer)      !! total storage at the start [m3 m-3]
      real(rk), intent(in) :: sink(w, nlayer)             !! demand [m s-1]
      real(rk), intent(in) :: running(w)                  !! 1 for columns that iterate, 0 for the others [1]
      real(rk), intent(inout) :: head(w, nlayer)          !! iterate [m]
      real(rk), intent(inout) :: flux(w, 0:nlayer)        !! through layer faces, down [m s-1]
      real(rk), intent(inout) :: actual_sink(w, nlayer)   !! sink that was met [m s-1]
      logical, intent(out) :: converged(w)                !! this iteration was the last one needed
      real(rk), dimension(w, nlayer) :: water, capacity, conductivity, slope
      real(rk), dimension(w, nlayer) :: diagonal, lower, upper, change, given, storage
      real(rk), dimension(w, 0:nlayer) :: q, by_above, by_below
      real(rk) :: worst(w), new_head(w), jump_head(w), straight(w), share
      real(rk) :: limited(w, nlayer), jumps(w), rough(w)
      integer :: k

      call evaluate_soil_hydraulics(nlayer, hydraulics, head, water, capacity, conductivity, slope)
      call inner_fluxes(nlayer, half, factor, hydraulics%saturated_conductivity, head, conductivity, slope, q, &
         by_above, &
                        by_below)
      by_above(:, 0) = 0.0_rk
      by_below(:, nlayer) = 0.0_rk
      if (problem%has_surface_head) then
         call surface_head_flux(problem%surface_head, problem%surface_k, hydraulics%saturated_conductivity(:, 1), &
            half(:, 1), &
                                head(:, 1), conductivity(:, 1), slope(:, 1), q(:, 0), by_below(:, 0))
      else
         call surface_flux(problem%dt, problem%supply, problem%ponding_depth, hydraulics%saturated_conductivity(:, 1), &
                           half(:, 1), head(:, 1), q(:, 0), by_below(:, 0))
      end if
      call base_flux(problem%lower_boundary, problem%base_head, problem%base_k, &
         hydraulics%saturated_conductivity(:, nlayer), &
                     half(:, nlayer), head(:, nlayer), conductivity(:, nlayer), slope(:, nlayer), q(:, nlayer), &
                     by_above(:, nlayer))

      call build_system(nlayer, problem%dt, problem%tolerance, hydraulics%air_dry_head, thickness, &
         hydraulics%specific_storage, &
                        hydraulics%entry_head, hydraulics%residual_water, hydraulics%air_dry_water, head, water, &
                        capacity, storage_old, sink, q, by_above, by_below, storage, lower, &
                        diagonal, upper, change, given, limited, worst)
      call solve_tridiagonal(nlayer, lower, diagonal, upper, change)

      rough = 0.0_rk
      share = merge(0.5_rk, 1.0_rk, iteration > patience)
      do k = 1, nlayer
         call propose_head(hydraulics%entry_head(:, k), hydraulics%release_head(:, k), hydraulics%residual_water(:, &
            k), &
                           hydraulics%air_dry_water(:, k), hydraulics%air_dry_head, smooth_head, share, limited(:, k), head(:, k), &
                           change(:, k), water(:, k), capacity(:, k), new_head, jumps, rough)
         if (any(jumps*running > 0.5_rk)) then
            call layer_head_from_water(hydraulics, k, water(:, k), jump_head)
            ! where next to no water means many metres, wetting follows the head instead
            straight = head(:, k) + min(change(:, k), -largest_wetting*min(head(:, k), 0.0_rk))
            jump_head = merge(max(jump_head, straight), jump_head, change(:, k) > 0.0_rk .and. &
                              water(:, k) - hydraulics%residual_water(:, k) < next_to_nothing)
            new_head = merge(jump_head, new_head, jumps > 0.5_rk)
         end if
         head(:, k) = merge(min(max(new_head, driest_head), wettest_head), head(:, k), running > 0.5_rk)
      end do
      converged = worst <= 1.0_rk .and. rough < 0.5_rk

      call take_linear(nlayer, problem%dt, thickness, storage_old, sink, running, limited, storage, capacity, &
         change, given, &
                       by_above, by_below, q, flux, actual_sink)
   end subroutine newton_iteration

   !> Fluxes and sinks of the linear system: with them each layer's water closes to round-off.
   pure subroutine take_linear(nlayer, dt, thickness, storage_old, sink, running, limited, storage, capacity, &
      change, given, &
                               by_above, by_below, q, flux, actual_sink)
      integer, intent(in) :: nlayer                     !! layers [1]
      real(rk), intent(in) :: dt(w)                     !! sub-step [s]
      real(rk), intent(in) :: thickness(w, nlayer)      !! [m]
      real(rk), intent(in) :: storage_old(w, nlayer)    !! [m3 m-3]
      real(rk), intent(in) :: sink(w, nlayer)           !! demand [m s-1]
      real(rk), intent(in) :: running(w)                  !! 1 for columns that iterate, 0 for the others [1]
      real(rk), intent(in) :: limited(w, nlayer) !! 1 for layers held at the air-dry head, 0 for others [1]
      real(rk), intent(in) :: storage(w, nlayer)        !! at the iterate [m3 m-3]
      real(rk), intent(in) :: capacity(w, nlayer)       !! [m-1]
      real(rk), intent(in) :: change(w, nlayer)         !! of the head [m]
      real(rk), intent(in) :: given(w, nlayer)          !! sink where not limited [m s-1]
      real(rk), intent(in) :: by_above(w, 0:nlayer)     !! [s-1]
      real(rk), intent(in) :: by_below(w, 0:nlayer)     !! [s-1]
      real(rk), intent(inout) :: q(w, 0:nlayer)         !! in: at the iterate; out: linear [m s-1]
      real(rk), intent(inout) :: flux(w, 0:nlayer)      !! [m s-1]
      real(rk), intent(inout) :: actual_sink(w, nlayer) !! [m s-1]
      real(rk) :: left
      integer :: above, below, i, k
      do k = 0, nlayer
         above = max(k, 1) ! the derivatives to heads outside the column are 0
         below = min(k + 1, nlayer)
         do i = 1, w
            q(i, k) = q(i, k) + by_above(i, k)*change(i, above) + by_below(i, k)*change(i, below)
            flux(i, k) = merge(q(i, k), flux(i, k), running(i) > 0.5_rk)
         end do
      end do
      do k = 1, nlayer
         do i = 1, w
            left = thickness(i, k)*(storage_old(i, k) - storage(i, k) - capacity(i, k)*change(i, k))/dt(i) &
                   + q(i, k - 1) - q(i, k)
            left = merge(min(max(left, 0.0_rk), sink(i, k)), given(i, k), limited(i, k) > 0.5_rk)
            actual_sink(i, k) = merge(left, actual_sink(i, k), running(i) > 0.5_rk)
         end do
      end do
   end subroutine take_linear

   !> Residual and Jacobian; `change` receives the right-hand side.
   pure subroutine build_system(nlayer, dt, tolerance, air_dry_head, thickness, specific_storage, entry, &
      residual_water, &
                                air_dry_water, head, water, capacity, storage_old, sink, q, by_above, by_below, &
                                storage, lower, diagonal, upper, change, given, &
                                limited, worst)
      integer, intent(in) :: nlayer                       !! layers [1]
      real(rk), intent(in) :: dt(w)                       !! sub-step [s]
      real(rk), intent(in) :: tolerance                   !! see column_problem_type [m]
      real(rk), intent(in) :: air_dry_head                !! [m]
      real(rk), intent(in) :: thickness(w, nlayer)        !! [m]
      real(rk), intent(in) :: specific_storage(w, nlayer) !! [m-1]
      real(rk), intent(in) :: entry(w, nlayer)            !! air-entry head [m]
      real(rk), intent(in) :: residual_water(w, nlayer)   !! [m3 m-3]
      real(rk), intent(in) :: air_dry_water(w, nlayer)    !! [m3 m-3]
      real(rk), intent(in) :: head(w, nlayer)             !! [m]
      real(rk), intent(in) :: water(w, nlayer)            !! [m3 m-3]
      real(rk), intent(in) :: capacity(w, nlayer)         !! [m-1]
      real(rk), intent(in) :: storage_old(w, nlayer)      !! [m3 m-3]
      real(rk), intent(in) :: sink(w, nlayer)             !! [m s-1]
      real(rk), intent(in) :: q(w, 0:nlayer)              !! [m s-1]
      real(rk), intent(in) :: by_above(w, 0:nlayer)       !! [s-1]
      real(rk), intent(in) :: by_below(w, 0:nlayer)       !! [s-1]
      real(rk), intent(out) :: storage(w, nlayer)         !! total, at the iterate [m3 m-3]
      real(rk), intent(out) :: lower(w, nlayer)           !! [1]
      real(rk), intent(out) :: diagonal(w, nlayer)        !! [1]
      real(rk), intent(out) :: upper(w, nlayer)           !! [1]
      real(rk), intent(out) :: change(w, nlayer)          !! right-hand side [m]
      real(rk), intent(out) :: given(w, nlayer)           !! sink that is met, where not limited [m s-1]
      real(rk), intent(out) :: limited(w, nlayer) !! 1 for layers held at the air-dry head, 0 for others [1]
      real(rk), intent(out) :: worst(w)                   !! largest residual of the column over what is allowed [1]
      integer :: k
      worst = 0.0_rk
      do k = 1, nlayer
         call build_layer(dt, tolerance, air_dry_head, thickness(:, k), specific_storage(:, k), entry(:, k), &
                          residual_water(:, k), air_dry_water(:, k), head(:, k), water(:, k), capacity(:, k), &
                          storage_old(:, k), sink(:, k), q(:, k - 1), q(:, k), by_above(:, k - 1), by_above(:, k), &
                          by_below(:, k - 1), by_below(:, k), storage(:, k), lower(:, k), diagonal(:, k), upper(:, k), &
                          change(:, k), given(:, k), limited(:, k), worst)
      end do
   end subroutine build_system

   !> One layer of the system; names as in `build_system`, `_up` and `_down` for its upper and lower face.
   pure subroutine build_layer(dt, tolerance, air_dry_head, thickness, specific_storage, entry, residual_water, &
                               air_dry_water, head, water, capacity, storage_old, sink, q_up, q_down, by_above_up, &
                               by_above_down, by_below_up, by_below_down, storage, lower, diagonal, upper, change, given, &
                               limited, worst)
      real(rk), intent(in) :: tolerance, air_dry_head
      real(rk), intent(in), dimension(w) :: dt, thickness, specific_storage, entry, residual_water, air_dry_water
      real(rk), intent(in), dimension(w) :: head, water, capacity, storage_old, sink, q_up, q_down
      real(rk), intent(in), dimension(w) :: by_above_up, by_above_down, by_below_up, by_below_down
      real(rk), intent(out), dimension(w) :: storage, lower, diagonal, upper, change, given, limited
      real(rk), intent(inout) :: worst(w)
      real(rk) :: full, without, bound, residual, main, allowed
      real(rk) :: empty, held, free ! conditions as 0 or 1: the loop has no branches and vectorises
      integer :: i
      !$omp simd private(full, without, bound, residual, main, allowed, empty, held, free)
      do i = 1, w
         storage(i) = water(i) + specific_storage(i)*max(head(i) + entry(i), 0.0_rk)
         without = thickness(i)*(storage(i) - storage_old(i)) + dt(i)*(q_down(i) - q_up(i))
         full = without + dt(i)*sink(i)
         main = thickness(i)*capacity(i) + dt(i)*(by_above_down(i) - by_below_up(i))
         bound = thickness(i)*(water(i) - air_dry_water(i))
         ! less water than the driest head holds (state set from outside): wait until it flows in
         empty = merge(1.0_rk, 0.0_rk, head(i) <= driest_head)*merge(1.0_rk, 0.0_rk, without > 0.0_rk)
         held = merge(1.0_rk, 0.0_rk, without < bound)*merge(1.0_rk, 0.0_rk, bound < full)*(1.0_rk - empty)
         free = 1.0_rk - max(held, empty)
         residual = merge(full, min(full, max(without, bound)), sink(i) <= 0.0_rk)
         given(i) = merge(sink(i), 0.0_rk, min(sink(i), full - bound) <= 0.0_rk)
         allowed = min(tolerance, max(thickness(i)*balance_share*(water(i) - residual_water(i)), least_balance))
         worst(i) = max(worst(i), free*(abs(residual)/allowed))
         limited(i) = held
         lower(i) = -free*dt(i)*by_above_up(i)
         upper(i) = free*dt(i)*by_below_down(i)
         diagonal(i) = merge(main, 1.0_rk, free > 0.5_rk)
         change(i) = held*max(air_dry_head - head(i), -abs(head(i))) - free*residual
      end do
   end subroutine build_layer

   !> Thomas algorithm, columns side by side.
   pure subroutine solve_tridiagonal(nlayer, lower, diagonal, upper, x)
      integer, intent(in) :: nlayer                !! layers [1]
      real(rk), intent(in) :: lower(w, nlayer)     !! [1]
      real(rk), intent(in) :: diagonal(w, nlayer)  !! [1]
      real(rk), intent(inout) :: upper(w, nlayer)  !! in: coefficient; out: eliminated [1]
      real(rk), intent(inout) :: x(w, nlayer)      !! in: right-hand side; out: solution [m]
      real(rk) :: pivot, least
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            least = max(least_pivot*abs(diagonal(i, k)), tiny(least))
            if (k > 1) then
               pivot = diagonal(i, k) - lower(i, k)*upper(i, k - 1)
               pivot = sign(max(abs(pivot), least), pivot)
               x(i, k) = (x(i, k) - lower(i, k)*x(i, k - 1))/pivot
            else
               pivot = sign(max(abs(diagonal(i, k)), least), diagonal(i, k))
               x(i, k) = x(i, k)/pivot
            end if
            upper(i, k) = upper(i, k)/pivot
         end do
      end do
      do k = nlayer - 1, 1, -1
         do i = 1, w
            x(i, k) = x(i, k) - upper(i, k)*x(i, k + 1)
         end do
      end do
   end subroutine solve_tridiagonal

end module pl_richards_newton
