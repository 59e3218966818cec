!> One step of soil water in a chunk of columns: Richards' equation in adaptive sub-steps.
!>
!> Every column has its own clock. A sub-step that Newton does not solve is cut; one that it solves quickly lets the
!> next grow; the last lands on the end of the step. Water is booked with the fluxes of the last linear system: each
!> layer's storage changes by exactly what passes its faces, so the balance closes to round-off whatever the tolerance,
!> and the tolerance decides only how well head and water agree. Backward Euler: Celia et al. (1990).
module pl_richards_column
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water
   use pl_error, only: error_convergence, error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_richards_flux, only: capillary_scale, lower_free_drainage, lower_no_flow, lower_water_table
   use pl_richards_newton, only: column_problem_type, newton_iteration
   use pl_soil_hydraulics, only: elastic_storage, evaluate_soil_hydraulics, soil_hydraulics_type
   implicit none (type, external)
   private
   public :: check_richards_options, column_water, richards_column_step, richards_flux_type, richards_options_type
   public :: lower_free_drainage, lower_no_flow, lower_water_table, upper_flux, upper_head

   integer, parameter :: upper_flux = 1 !! rain, pond and evaporation demand
   integer, parameter :: upper_head = 2 !! surface held at `surface_head` (laboratory columns)

   integer, parameter :: most_attempts = 20000      !! sub-steps of one step, those that fail included [1]
   integer, parameter :: quick_iterations = 5       !! Newton iterations up to which the next sub-step grows [1]
   real(rk), parameter :: growth = 2.0_rk           !! of the sub-step after a quick solution [1]
   real(rk), parameter :: explicit_share = 0.01_rk  !! of the step, below which sinks are limited beforehand [1]
   real(rk), parameter :: cut = 0.25_rk             !! of the sub-step after a failure [1]

   !> Choices shared by all columns.
   type :: richards_options_type
      integer :: lower_boundary = lower_free_drainage !! one of lower_*
      integer :: upper_boundary = upper_flux          !! one of upper_*
      real(rk) :: water_table_depth = 2.0_rk          !! below the surface, for lower_water_table [m]
      real(rk) :: surface_head = 0.0_rk               !! for upper_head [m]
      real(rk) :: ponding_depth = 0.0_rk              !! depth of the pond above which water runs off [m]
      real(rk) :: tolerance = 1.0e-7_rk               !! of a layer's balance before the last linear solve [m]
      integer :: max_iterations = 15                  !! Newton iterations before the sub-step is cut [1]
      real(rk) :: min_step = 1.0e-3_rk                !! sub-step below which the column has failed [s]
   end type richards_options_type

   !> Results of a step, means over the step.
   type :: richards_flux_type
      real(rk) :: infiltration(w)        !! through the surface; negative where water comes out of the soil [kg m-2 s-1]
      real(rk) :: surface_runoff(w)      !! [kg m-2 s-1]
      real(rk) :: drainage(w)            !! through the base, positive out of the column [kg m-2 s-1]
      real(rk) :: surface_evaporation(w) !! part of a negative surface_input that was met [kg m-2 s-1]
      real(rk) :: residual(w)            !! water gained less water received [kg m-2 per step]
      real(rk) :: substeps(w)            !! sub-steps taken [1]
      real(rk) :: iterations(w)          !! Newton iterations, failed sub-steps included [1]
      integer :: failed                  !! lane that failed, 0 if none; the error says why
   end type richards_flux_type

   !> Clock and sums of the columns of a chunk [s, m].
   type :: progress_type
      real(rk) :: done(w)        !! time passed [s]
      real(rk) :: next(w)        !! sub-step to try [s]
      real(rk) :: rain(w)        !! water arriving [m s-1]
      real(rk) :: demand(w)      !! evaporation demand of the surface [m s-1]
      real(rk) :: pond(w)        !! [m]
      real(rk) :: infiltrated(w) !! [m]
      real(rk) :: run_off(w)     !! [m]
      real(rk) :: drained(w)     !! [m]
      real(rk) :: evaporated(w)  !! [m]
   end type progress_type

contains

   !> Refuse options outside their range.
   subroutine check_richards_options(options, error)
      type(richards_options_type), intent(in) :: options
      type(error_type), allocatable, intent(out) :: error
      if (options%lower_boundary < lower_free_drainage .or. options%lower_boundary > lower_water_table) then
         call raise_error(error, error_input, "lower_boundary: expected free drainage (1), no flow (2) or "// &
                          "water table (3)")
      else if (options%upper_boundary /= upper_flux .and. options%upper_boundary /= upper_head) then
         call raise_error(error, error_input, "upper_boundary: expected flux (1) or head (2)")
      else if (.not. options%ponding_depth >= 0.0_rk) then
         call raise_error(error, error_input, "ponding_depth must be 0 or positive")
      else if (.not. (options%tolerance > 0.0_rk .and. options%min_step > 0.0_rk .and. &
         options%max_iterations >= 2)) then
         call raise_error(error, error_input, "solver: tolerance and min_step must be positive, "// &
                          "max_iterations at least 2")
      end if
   end subroutine check_richards_options

   !> Advance the soil water of a chunk of columns by `dt`.
   subroutine richards_column_step(dt, nlayer, first_column, thickness, hydraulics, options, surface_input, sink, &
                                   pressure_head, soil_water, surface_water, actual_sink, flux, error)
      real(rk), intent(in) :: dt                          !! step [s]
      integer, intent(in) :: nlayer                       !! layers [1]
      integer, intent(in) :: first_column                 !! number of the first lane's column, for messages [1]
      real(rk), intent(in) :: thickness(w, nlayer)        !! [m]
      type(soil_hydraulics_type), intent(in) :: hydraulics !! prepared parameters
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: surface_input(w)            !! rain; negative: evaporation demand [kg m-2 s-1]
      real(rk), intent(in) :: sink(w, nlayer) !! demand of roots and evaporation; negative: source [kg m-2 s-1]
      real(rk), intent(inout) :: pressure_head(w, nlayer) !! [m]
      real(rk), intent(inout) :: soil_water(w, nlayer)    !! [m3 m-3]
      real(rk), intent(inout) :: surface_water(w)         !! pond [kg m-2]
      real(rk), intent(out) :: actual_sink(w, nlayer)     !! sink that was met, mean over the step [kg m-2 s-1]
      type(richards_flux_type), intent(out) :: flux
      type(error_type), allocatable, intent(out) :: error !! no convergence; names the column
      type(column_problem_type) :: problem
      type(progress_type) :: progress
      real(rk), dimension(w, nlayer) :: half, factor, storage, head, demand, given, taken
      real(rk) :: q(w, 0:nlayer), water_before(w), water_after(w), rate(w)
      logical :: active(w), solved(w)
      integer :: iterations(w), attempt, i, k

      call column_water(nlayer, thickness, hydraulics, soil_water, pressure_head, surface_water, water_before)
      call start_problem(nlayer, thickness, hydraulics, options, pressure_head, problem, half, factor)
      call start_progress(dt, surface_input, surface_water, progress)
      flux%failed = 0
      flux%substeps = 0.0_rk
      flux%iterations = 0.0_rk
      taken = 0.0_rk
      q = 0.0_rk
      given = 0.0_rk
      do attempt = 1, most_attempts
         active = progress%done < dt
         if (.not. any(active)) exit
         call start_substep(dt, options%upper_boundary, active, progress, problem)
         call elastic_storage(nlayer, hydraulics, pressure_head, storage)
         demand = sink/density_water
         do i = 1, w
            demand(i, 1) = demand(i, 1) + progress%demand(i) - min(progress%demand(i), progress%pond(i)/problem%dt(i))
         end do
         storage = storage + soil_water
         do k = 1, nlayer
            do i = 1, w
               ! short sub-steps are for columns in trouble: what a sink may take is fixed beforehand
               if (problem%dt(i) < explicit_share*dt) demand(i, k) = min(demand(i, k), &
                  max(storage(i, k) - hydraulics%air_dry_water(i, k), 0.0_rk)*thickness(i, k)/problem%dt(i))
            end do
         end do
         head = pressure_head
         call iterate(nlayer, options%max_iterations, problem, hydraulics, thickness, half, factor, storage, &
            demand, active, &
                      head, q, given, solved, iterations)
         flux%iterations = flux%iterations + iterations
         call book_surface(options, active .and. solved, problem, progress, sink(:, 1)/density_water, q(:, 0), &
            given(:, 1), rate)
         call book_layers(nlayer, active .and. solved, problem%dt, options%lower_boundary == lower_no_flow, &
                          thickness, hydraulics, storage, head, q, given, &
                          pressure_head, soil_water)
         do k = 1, nlayer
            do i = 1, w
               if (active(i) .and. solved(i)) then
                  taken(i, k) = taken(i, k) + problem%dt(i)*(given(i, k) - merge(rate(i), 0.0_rk, k == 1))
               end if
            end do
         end do
         call end_substep(dt, active, solved, iterations, problem%dt, q(:, nlayer), progress, flux)
         if (any(active .and. .not. solved .and. progress%next < options%min_step)) exit
      end do
      if (any(progress%done < dt)) then
         flux%failed = minloc(progress%done, dim=1)
         call raise_no_convergence(dt, first_column, flux%failed, progress, pressure_head(:, 1), error)
         return
      end if

      surface_water = density_water*progress%pond
      flux%infiltration = density_water*progress%infiltrated/dt
      flux%surface_runoff = density_water*progress%run_off/dt
      flux%drainage = density_water*progress%drained/dt
      flux%surface_evaporation = density_water*progress%evaporated/dt
      actual_sink = density_water*taken/dt
      actual_sink = min(max(actual_sink, min(sink, 0.0_rk)), max(sink, 0.0_rk)) ! round-off of the shares
      call column_water(nlayer, thickness, hydraulics, soil_water, pressure_head, surface_water, water_after)
      flux%residual = water_after - water_before - dt*(max(surface_input, 0.0_rk) - flux%surface_evaporation &
                                                       - flux%surface_runoff - flux%drainage - sum(actual_sink, dim=2))
      if (options%upper_boundary == upper_head) flux%residual = flux%residual - dt*flux%infiltration
      if (all(ieee_is_finite(flux%residual))) return
      flux%failed = findloc(ieee_is_finite(flux%residual), .false., dim=1)
      call raise_not_finite(first_column + flux%failed - 1, error)
   end subroutine richards_column_step

   !> All water of the columns: in the pores, by compression, and on the surface.
   pure subroutine column_water(nlayer, thickness, hydraulics, soil_water, pressure_head, surface_water, water)
      integer, intent(in) :: nlayer                    !! layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: soil_water(w, nlayer)    !! [m3 m-3]
      real(rk), intent(in) :: pressure_head(w, nlayer) !! [m]
      real(rk), intent(in) :: surface_water(w)         !! [kg m-2]
      real(rk), intent(out) :: water(w)                !! [kg m-2]
      real(rk) :: storage(w, nlayer)
      integer :: i, k
      call elastic_storage(nlayer, hydraulics, pressure_head, storage)
      water = surface_water
      do k = 1, nlayer
         do i = 1, w
            water(i) = water(i) + density_water*thickness(i, k)*(soil_water(i, k) + storage(i, k))
         end do
      end do
   end subroutine column_water

   !> Geometry and boundaries that hold for the whole step.
   pure subroutine start_problem(nlayer, thickness, hydraulics, options, pressure_head, problem, half, factor)
      integer, intent(in) :: nlayer
      real(rk), intent(in) :: thickness(w, nlayer)
      type(soil_hydraulics_type), intent(in) :: hydraulics
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: pressure_head(w, nlayer)
      type(column_problem_type), intent(out) :: problem
      real(rk), intent(out) :: half(w, nlayer)
      real(rk), intent(out) :: factor(w, nlayer)
      real(rk), dimension(w, nlayer) :: head, water, capacity, conductivity, slope
      half = 0.5_rk*thickness
      call capillary_scale(nlayer, half, hydraulics%saturated_conductivity, factor)
      problem%lower_boundary = options%lower_boundary
      problem%has_surface_head = options%upper_boundary == upper_head
      problem%surface_head = options%surface_head
      problem%ponding_depth = options%ponding_depth
      problem%tolerance = options%tolerance
      problem%base_head = sum(thickness, dim=2) - options%water_table_depth
      problem%base_k = 0.0_rk
      problem%surface_k = 0.0_rk
      problem%supply = 0.0_rk
      problem%dt = 1.0_rk
      if (options%lower_boundary == lower_water_table .or. problem%has_surface_head) then
         head = pressure_head
         head(:, nlayer) = problem%base_head
         if (problem%has_surface_head) head(:, 1) = options%surface_head
         call evaluate_soil_hydraulics(nlayer, hydraulics, head, water, capacity, conductivity, slope)
         problem%base_k = conductivity(:, nlayer)
         problem%surface_k = conductivity(:, 1)
      end if
   end subroutine start_problem

   !> Clocks to zero.
   pure subroutine start_progress(dt, surface_input, surface_water, progress)
      real(rk), intent(in) :: dt
      real(rk), intent(in) :: surface_input(w)
      real(rk), intent(in) :: surface_water(w)
      type(progress_type), intent(out) :: progress
      progress%done = 0.0_rk
      progress%next = dt
      progress%rain = max(surface_input, 0.0_rk)/density_water
      progress%demand = max(-surface_input, 0.0_rk)/density_water
      progress%pond = surface_water/density_water
      progress%infiltrated = 0.0_rk
      progress%run_off = 0.0_rk
      progress%drained = 0.0_rk
      progress%evaporated = 0.0_rk
   end subroutine start_progress

   !> Length of the sub-step of each column and the water on its surface; evaporation takes the pond first.
   pure subroutine start_substep(dt, upper_boundary, active, progress, problem)
      real(rk), intent(in) :: dt
      integer, intent(in) :: upper_boundary
      logical, intent(in) :: active(w)
      type(progress_type), intent(in) :: progress
      type(column_problem_type), intent(inout) :: problem
      real(rk) :: left, step
      integer :: i
      do i = 1, w
         left = dt - progress%done(i)
         step = merge(0.5_rk*left, progress%next(i), progress%next(i) > 0.5_rk*left)
         step = merge(left, step, progress%next(i) >= left)
         problem%dt(i) = merge(step, dt, active(i))
         problem%supply(i) = max(progress%pond(i)/problem%dt(i) + progress%rain(i) - progress%demand(i), 0.0_rk)
         if (upper_boundary == upper_head) problem%supply(i) = 0.0_rk
      end do
   end subroutine start_substep

   !> Newton iterations until every active column is solved or the bound is reached.
   subroutine iterate(nlayer, max_iterations, problem, hydraulics, thickness, half, factor, storage, demand, &
      active, head, q, &
                      given, solved, iterations)
      integer, intent(in) :: nlayer
      integer, intent(in) :: max_iterations
      type(column_problem_type), intent(in) :: problem
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: thickness(w, nlayer)
      real(rk), intent(in) :: half(w, nlayer)
      real(rk), intent(in) :: factor(w, nlayer)
      real(rk), intent(in) :: storage(w, nlayer)
      real(rk), intent(in) :: demand(w, nlayer)
      logical, intent(in) :: active(w)
      real(rk), intent(inout) :: head(w, nlayer)
      real(rk), intent(inout) :: q(w, 0:nlayer)
      real(rk), intent(inout) :: given(w, nlayer)
      logical, intent(out) :: solved(w)
      integer, intent(out) :: iterations(w)
      logical :: running(w), converged(w)
      integer :: iteration
      solved = .false.
      iterations = 0
      do iteration = 1, max_iterations
         running = active .and. .not. solved
         if (.not. any(running)) exit
         call newton_iteration(nlayer, iteration, problem, hydraulics, thickness, half, factor, storage, demand, &
                               merge(1.0_rk, 0.0_rk, running), head, q, given, converged)
         iterations = iterations + merge(1, 0, running)
         solved = solved .or. (running .and. converged)
      end do
   end subroutine iterate

   !> Pond, runoff and evaporation of the surface after a solved sub-step.
   pure subroutine book_surface(options, booked, problem, progress, sink_top, infiltration, given_top, rate)
      type(richards_options_type), intent(in) :: options
      logical, intent(in) :: booked(w)
      type(column_problem_type), intent(in) :: problem
      type(progress_type), intent(inout) :: progress
      real(rk), intent(in) :: sink_top(w)        !! demand on the top layer without the surface's own [m s-1]
      real(rk), intent(inout) :: infiltration(w) !! limited to the water at hand [m s-1]
      real(rk), intent(in) :: given_top(w)       !! met by the top layer, both demands [m s-1]
      real(rk), intent(out) :: rate(w)           !! surface evaporation met by the top layer [m s-1]
      real(rk) :: from_pond, from_soil, wanted, pond
      integer :: i
      rate = 0.0_rk
      do i = 1, w
         if (.not. booked(i)) cycle
         from_pond = min(progress%demand(i), progress%pond(i)/problem%dt(i))
         from_soil = progress%demand(i) - from_pond
         wanted = max(sink_top(i), 0.0_rk) + from_soil
         if (wanted > 0.0_rk) rate(i) = from_soil*min((given_top(i) - min(sink_top(i), 0.0_rk))/wanted, 1.0_rk)
         if (options%upper_boundary == upper_head) then
            pond = progress%pond(i) + problem%dt(i)*(progress%rain(i) - from_pond)
         else
            infiltration(i) = min(infiltration(i), problem%supply(i))
            pond = problem%dt(i)*(problem%supply(i) - infiltration(i))
         end if
         progress%infiltrated(i) = progress%infiltrated(i) + problem%dt(i)*infiltration(i)
         progress%evaporated(i) = progress%evaporated(i) + problem%dt(i)*(from_pond + rate(i))
         progress%run_off(i) = progress%run_off(i) + max(pond - options%ponding_depth, 0.0_rk)
         progress%pond(i) = min(pond, options%ponding_depth)
      end do
   end subroutine book_surface

   !> Storage of each layer from its fluxes. What the tolerance puts above porosity goes to the layer below, what it
   !> takes
   !> below the residual water comes from there; at the base it is drainage, or compression of a closed column.
   pure subroutine book_layers(nlayer, booked, dt, is_closed, thickness, hydraulics, storage, head, q, given, &
      pressure_head, &
                               soil_water)
      integer, intent(in) :: nlayer
      logical, intent(in) :: booked(w)
      real(rk), intent(in) :: dt(w)
      logical, intent(in) :: is_closed                    !! no flow through the base
      real(rk), intent(in) :: thickness(w, nlayer)
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: storage(w, nlayer)          !! at the start of the sub-step [m3 m-3]
      real(rk), intent(in) :: head(w, nlayer)             !! Newton's solution [m]
      real(rk), intent(inout) :: q(w, 0:nlayer)           !! [m s-1]
      real(rk), intent(in) :: given(w, nlayer)            !! [m s-1]
      real(rk), intent(inout) :: pressure_head(w, nlayer) !! [m]
      real(rk), intent(inout) :: soil_water(w, nlayer)    !! [m3 m-3]
      real(rk) :: compressed, reached, water, beyond
      logical :: passes
      integer :: i, k
      do k = 1, nlayer
         passes = k < nlayer .or. .not. is_closed
         do i = 1, w
            compressed = max(head(i, k) + hydraulics%entry_head(i, k), 0.0_rk)
            water = storage(i, k) + dt(i)*(q(i, k - 1) - q(i, k) - given(i, k))/thickness(i, k) &
                    - hydraulics%specific_storage(i, k)*compressed
            reached = min(max(water, hydraulics%residual_water(i, k)), hydraulics%porosity(i, k))
            beyond = water - reached
            q(i, k) = q(i, k) + merge(beyond*thickness(i, k)/dt(i), 0.0_rk, passes)
            compressed = compressed + max(beyond, 0.0_rk)/hydraulics%specific_storage(i, k)
            soil_water(i, k) = merge(reached, soil_water(i, k), booked(i))
            water = merge(head(i, k), compressed - hydraulics%entry_head(i, k), passes .or. beyond <= 0.0_rk)
            pressure_head(i, k) = merge(water, pressure_head(i, k), booked(i))
         end do
      end do
   end subroutine book_layers

   !> Advance clocks and choose the next sub-step.
   pure subroutine end_substep(dt, active, solved, iterations, step, drainage, progress, flux)
      real(rk), intent(in) :: dt
      logical, intent(in) :: active(w)
      logical, intent(in) :: solved(w)
      integer, intent(in) :: iterations(w)
      real(rk), intent(in) :: step(w)
      real(rk), intent(in) :: drainage(w)
      type(progress_type), intent(inout) :: progress
      type(richards_flux_type), intent(inout) :: flux
      integer :: i
      do i = 1, w
         if (.not. active(i)) cycle
         if (solved(i)) then
            progress%done(i) = merge(dt, progress%done(i) + step(i), step(i) >= dt - progress%done(i))
            progress%drained(i) = progress%drained(i) + step(i)*drainage(i)
            flux%substeps(i) = flux%substeps(i) + 1.0_rk
            progress%next(i) = merge(growth, 1.0_rk, iterations(i) <= quick_iterations)*step(i)
         else
            progress%next(i) = cut*step(i)
         end if
      end do
   end subroutine end_substep

   !> Say which column failed, when, and what it looked like.
   subroutine raise_no_convergence(dt, first_column, lane, progress, top_head, error)
      real(rk), intent(in) :: dt
      integer, intent(in) :: first_column
      integer, intent(in) :: lane
      type(progress_type), intent(in) :: progress
      real(rk), intent(in) :: top_head(w)
      type(error_type), allocatable, intent(out) :: error
      character(len=400) :: text
      write (text, "(a,i0,a,f0.3,a,f0.3,a,es10.3,a,es10.3,a)") "soil water in column ", first_column + lane - 1, &
         " did not converge ", progress%done(lane), " s into a step of ", dt, " s (sub-step ", progress%next(lane), &
         " s, head of the top layer ", top_head(lane), &
         " m); check its soil parameters and state, or change subsurface.solver (max_iterations, min_step)"
      call raise_error(error, error_convergence, text)
   end subroutine raise_no_convergence

   !> NaN or infinity in, error out.
   subroutine raise_not_finite(column, error)
      integer, intent(in) :: column
      type(error_type), allocatable, intent(out) :: error
      character(len=160) :: text
      write (text, "(a,i0,a)") "soil water in column ", column, &
         " is not finite: its state or the water it receives holds "// &
         "NaN or infinity; look for their origin"
      call raise_error(error, error_state, text)
   end subroutine raise_not_finite

end module pl_richards_column
