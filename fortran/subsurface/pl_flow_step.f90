!> Advance one state of the distributed subsurface over a period, in as many steps as it takes.
module pl_flow_step
   use, intrinsic :: omp_lib, only: omp_get_max_threads, omp_set_num_threads
   use pl_error, only: error_convergence, error_type, raise_error
   use pl_flow_model, only: cells_per_thread, flow_model_type
   use pl_flow_newton, only: newton_step
   use pl_flow_overland, only: overland_none
   use pl_flow_soil, only: ice_impedance
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: advance_flow, load_member

   real(rk), parameter :: cut = 0.25_rk   !! of a step after a failure [1]
   real(rk), parameter :: growth = 2.0_rk !! of a step after a quick one [1]
   integer, parameter :: quick = 12       !! iterations of a quick step [1]

contains

   !> Advance member `member` by `period`; on failure its state is that of the start.
   subroutine advance_flow(model, member, period, error)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member   !! from 1 [1]
      real(rk), intent(in) :: period  !! [s]
      type(error_type), allocatable, intent(out) :: error !! no convergence, not enough memory
      integer :: threads
      threads = omp_get_max_threads()
      call omp_set_num_threads(min(threads, 1 + model%nx*model%ny*model%nz/cells_per_thread))
      call advance_period(model, member, period, error)
      call omp_set_num_threads(threads)
   end subroutine advance_flow

   !> Advance with the threads that are set.
   subroutine advance_period(model, member, period, error)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member   !! from 1 [1]
      real(rk), intent(in) :: period  !! [s]
      type(error_type), allocatable, intent(out) :: error !! see advance_flow
      real(rk) :: done, dt, longest
      integer :: iterations
      logical :: converged
      character(len=160) :: text
      call load_member(model, member)
      model%has_source = any(abs(model%source) > 0.0_rk)
      if (.not. model%has_source) model%met_source = 0.0_rk
      call clear_volumes(model)
      done = 0.0_rk
      longest = min(period, model%options%max_step)
      do while (done < period)
         dt = even_step(period - done, longest)
         model%head_old = model%head
         call newton_step(model, dt, converged, iterations, error)
         if (allocated(error)) return
         if (.not. converged) then
            model%head = model%head_old
            model%is_evaluated = .false.
            if (dt <= model%options%min_step) then
               write (text, "(a, es9.2, a, es9.2, a, i0, a)") "distributed subsurface: a step of ", dt, " s, ", done, &
                  " s after the start, did not converge in ", model%options%max_iterations, " iterations; "
               call raise_error(error, error_convergence, trim(text)//" check soil parameters, sources and fluxes at "// &
                                "boundaries, or lower min_step")
               return
            end if
            longest = max(cut*dt, model%options%min_step)
            cycle
         end if
         call book_step(model, dt)
         done = done + dt
         if (period - done <= epsilon(1.0_rk)*period) exit
         if (iterations <= quick) longest = min(growth*dt, model%options%max_step)
      end do
      model%heads(:, :, :, member) = model%head
   end subroutine advance_period

   !> Take up the heads and the ice of a member; what was evaluated stays if they are the same.
   subroutine load_member(model, member)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member !! from 1 [1]
      logical :: same(0:model%ny + 1)
      integer :: j
      !$omp parallel do schedule(static)
      do j = 0, model%ny + 1
         same(j) = all(abs(model%head(:, :, j) - model%heads(:, :, j, member)) <= 0.0_rk)
         if (.not. same(j)) model%head(:, :, j) = model%heads(:, :, j, member)
         if (.not. model%has_ice) cycle
         same(j) = same(j) .and. all(abs(model%ice(:, :, j) - model%ices(:, :, j, member)) <= 0.0_rk)
         if (same(j)) cycle
         model%ice(:, :, j) = model%ices(:, :, j, member)
         call ice_impedance(model%soil, (model%nx + 2)*model%nz, model%class(:, :, j), model%ice(:, :, j), &
                            model%impedance(:, :, j))
      end do
      model%is_evaluated = model%is_evaluated .and. all(same)
   end subroutine load_member

   !> Step that divides what is left evenly, not longer than `longest`.
   pure real(rk) function even_step(left, longest)
      real(rk), intent(in) :: left    !! [s]
      real(rk), intent(in) :: longest !! [s]
      real(rk), parameter :: countable = 1.0e6_rk !! steps beyond which evenness does not matter [1]
      even_step = longest
      if (left/longest < countable) even_step = left/real(ceiling(left/longest*(1.0_rk - epsilon(1.0_rk))), rk)
   end function even_step

   !> Forget what passed in the last period.
   subroutine clear_volumes(model)
      type(flow_model_type), intent(inout) :: model
      model%volume_source = 0.0_rk
      model%volume_rain = 0.0_rk
      model%volume_rim = 0.0_rk
      model%volume_spread = 0.0_rk
      model%volume_runoff = 0.0_rk
      if (model%faces%count > 0) model%faces%volume = 0.0_rk
      model%steps = 0
      model%newton = 0
      model%krylov = 0
   end subroutine clear_volumes

   !> Add what passed in a step.
   subroutine book_step(model, dt)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt !! [s]
      model%steps = model%steps + 1
      if (model%has_source) model%volume_source = model%volume_source + dt*model%met_source
      model%volume_rain = model%volume_rain + dt*model%met_rain*model%pond
      model%volume_rim = model%volume_rim + dt*model%rim
      model%volume_spread = model%volume_spread + dt*model%spread
      if (model%faces%count > 0) model%faces%volume = model%faces%volume + dt*model%faces%inflow
      if (model%options%overland == overland_none) model%volume_runoff = model%volume_runoff + model%runoff
   end subroutine book_step

end module pl_flow_step
