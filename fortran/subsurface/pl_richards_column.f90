!> Richards' equation in soil columns: mixed form, mass conserving, adaptive sub-steps, ponding.
!>
!> Celia, Bouloutas and Zarba (1990), Water Resour. Res. 26, 1483-1496: backward Euler in the mixed form, here with the
!> exact Jacobian and a tridiagonal solve. Conductivity between layers is the harmonic mean of the saturated ones times
!> the relative conductivity of the layer that water leaves where it moves down (upstream, as ParFlow), and the
!> logarithmic mean of both where it moves up (exact without gravity for an exponential conductivity; means are
!> compared by Warrick 1991, Water Resour. Res. 27, 1215-1222): upstream weighting would let a wet layer feed a dry
!> surface as if the surface were wet. Ponded water is part of the top layer's unknown: infiltration is what arrives
!> as long as the soil takes it, else the flux under the ponded head. Each lane has its own sub-step; a lane's result
!> depends on nothing but its own data.
module pl_richards_column
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water
   use pl_kinds, only: rk
   use pl_soil_hydraulics, only: air_entry_head, curve_count, evaluate_soil, head_of_water, &
                                 retention_van_genuchten
   implicit none (type, external)
   private
   public :: boundary_free_drainage, boundary_no_flow, boundary_water_table
   public :: column_water_type, richards_column_step, richards_options_type, smallest_storage

   integer, parameter :: boundary_free_drainage = 1, boundary_no_flow = 2, boundary_water_table = 3
   real(rk), parameter :: largest_jump = 1.0e5_rk !! of the imbalance over the tolerance in a last Newton step [1]
   real(rk), parameter :: smallest_storage = 1.0e-6_rk !! specific storage by the compressibility of water alone [m-1]

   !> Choices and tolerances shared by all columns.
   type :: richards_options_type
      integer :: retention = retention_van_genuchten       !! retention curve
      integer :: lower_boundary = boundary_free_drainage   !! lower boundary condition
      real(rk) :: air_entry = air_entry_head               !! air-entry head of van Genuchten soils [m]
      real(rk) :: water_table_depth = 2.0_rk               !! of a fixed water table below the surface [m]
      real(rk) :: ponding_depth = 0.01_rk                  !! water that the surface holds before it runs off [m]
      real(rk) :: tolerance = 1.0e-13_rk                   !! largest imbalance of a layer in a sub-step [m]
      real(rk) :: stagnation = 1.0e-11_rk                  !! imbalance accepted when round-off stops progress [m]
      real(rk) :: smallest_step = 1.0e-3_rk                !! smallest sub-step [s]
      integer :: largest_iteration = 30                    !! Newton iterations of a sub-step [1]
   end type richards_options_type

   !> Water fluxes of a step, means over the step.
   type :: column_water_type
      real(rk) :: infiltration(w)   !! through the soil surface, down [kg m-2 s-1]
      real(rk) :: surface_runoff(w) !! [kg m-2 s-1]
      real(rk) :: drainage(w)       !! through the lower boundary, down [kg m-2 s-1]
      real(rk) :: unmet(w)          !! evaporation from the surface that neither pond nor soil could give [kg m-2 s-1]
      real(rk) :: substeps(w)       !! accepted sub-steps [1]
      integer :: failed             !! lane that could not be solved; 0 if none
   end type column_water_type

contains

   !> Advance soil water of a chunk of columns by `dt`.
   pure subroutine richards_column_step(dt, nlayer, options, thickness, porosity, residual, curves, saturated, storage, &
                                        lowest_water, surface_input, sink, head, water, pond, result)
      real(rk), intent(in) :: dt                       !! time step [s]
      integer, intent(in) :: nlayer                    !! soil layers [1]
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      real(rk), intent(in) :: porosity(w, nlayer)      !! [m3 m-3]
      real(rk), intent(in) :: residual(w, nlayer)      !! [m3 m-3]
      real(rk), intent(in) :: curves(w, curve_count, nlayer) !! prepared, see pl_soil_hydraulics
      real(rk), intent(in) :: saturated(w, nlayer)     !! saturated conductivity [m s-1]
      real(rk), intent(in) :: storage(w, nlayer)       !! specific storage, at least `smallest_storage` [m-1]
      real(rk), intent(in) :: lowest_water(w, nlayer)  !! water that sinks leave in the soil [m3 m-3]
      real(rk), intent(in) :: surface_input(w)         !! water arriving at the surface; negative: evaporation [kg m-2 s-1]
      real(rk), intent(inout) :: sink(w, nlayer)       !! in: demand, out: what was taken [kg m-2 s-1]
      real(rk), intent(inout) :: head(w, nlayer)       !! pressure head [m]
      real(rk), intent(inout) :: water(w, nlayer)      !! volumetric water [m3 m-3]
      real(rk), intent(inout) :: pond(w)               !! ponded water [kg m-2]
      type(column_water_type), intent(out) :: result
      integer, parameter :: largest_attempts = 100000
      real(rk) :: trial(w, nlayer), trial_water(w, nlayer), drained(w, nlayer)
      real(rk) :: inverse_distance(w, nlayer), harmonic(w, nlayer)
      real(rk) :: rain(w), depth(w), time(w), trust(w), step(w), top_flux(w), bottom_flux(w), bottom(w), overflow
      logical :: is_active(w), is_solved(w)
      integer :: attempt, i, iterations(w)

      call find_faces(nlayer, thickness, saturated, inverse_distance, harmonic)
      bottom = sum(thickness, dim=2)
      call limit_sinks(dt, nlayer, thickness, lowest_water, water, surface_input, pond, sink, rain, result%unmet, drained)
      result%infiltration = 0.0_rk
      result%surface_runoff = 0.0_rk
      result%drainage = 0.0_rk
      result%substeps = 0.0_rk
      result%failed = 0
      depth = pond/density_water
      time = 0.0_rk
      trust = dt
      is_active = .true.
      attempts: do attempt = 1, largest_attempts
         do i = 1, w
            step(i) = merge(min(trust(i), dt - time(i)), dt, is_active(i))
         end do
         trial = head
         call newton(step, nlayer, options, thickness, bottom, inverse_distance, harmonic, porosity, residual, curves, &
                     saturated, storage, rain, drained, depth, water, head, is_active, trial, trial_water, top_flux, &
                     bottom_flux, is_solved, iterations)
         do i = 1, w
            if (.not. is_active(i)) cycle
            if (is_solved(i)) then
               head(i, :) = trial(i, :)
               water(i, :) = trial_water(i, :)
               depth(i) = max(depth(i) + step(i)*(rain(i) - top_flux(i)), 0.0_rk)
               overflow = max(depth(i) - options%ponding_depth, 0.0_rk)
               depth(i) = depth(i) - overflow
               result%infiltration(i) = result%infiltration(i) + density_water*step(i)*top_flux(i)
               result%drainage(i) = result%drainage(i) + density_water*step(i)*bottom_flux(i)
               result%surface_runoff(i) = result%surface_runoff(i) + density_water*overflow
               result%substeps(i) = result%substeps(i) + 1.0_rk
               is_active(i) = step(i) < dt - time(i)
               time(i) = time(i) + step(i)
               if (iterations(i) <= 6) then
                  trust(i) = min(2.0_rk*step(i), dt)
               else if (iterations(i) > 12) then
                  trust(i) = 0.7_rk*step(i)
               else
                  trust(i) = step(i)
               end if
            else
               trust(i) = 0.25_rk*step(i)
               if (trust(i) < options%smallest_step) result%failed = i
            end if
         end do
         if (.not. any(is_active) .or. result%failed > 0) exit attempts
      end do attempts
      if (any(is_active)) result%failed = max(result%failed, findloc(is_active, .true., dim=1))
      pond = density_water*depth
      result%infiltration = result%infiltration/dt
      result%surface_runoff = result%surface_runoff/dt
      result%drainage = result%drainage/dt
   end subroutine richards_column_step

   !> Split the surface input into rain and evaporation, and keep sinks within the water at hand.
   pure subroutine limit_sinks(dt, nlayer, thickness, lowest_water, water, surface_input, pond, sink, rain, unmet, drained)
      real(rk), intent(in) :: dt                      !! [s]
      integer, intent(in) :: nlayer                   !! [1]
      real(rk), intent(in) :: thickness(w, nlayer)    !! [m]
      real(rk), intent(in) :: lowest_water(w, nlayer) !! [m3 m-3]
      real(rk), intent(in) :: water(w, nlayer)        !! [m3 m-3]
      real(rk), intent(in) :: surface_input(w)        !! [kg m-2 s-1]
      real(rk), intent(in) :: pond(w)                 !! [kg m-2]
      real(rk), intent(inout) :: sink(w, nlayer)      !! in: demand, out: what is taken [kg m-2 s-1]
      real(rk), intent(out) :: rain(w)                !! net water on the surface, not below -pond/dt [m s-1]
      real(rk), intent(out) :: unmet(w)               !! [kg m-2 s-1]
      real(rk), intent(out) :: drained(w, nlayer)     !! sinks, evaporation beyond the pond included [m s-1]
      real(rk) :: available, beyond, taken
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            available = max(water(i, k) - lowest_water(i, k), 0.0_rk)*thickness(i, k)*density_water/dt
            sink(i, k) = min(sink(i, k), available)
            drained(i, k) = sink(i, k)/density_water
         end do
      end do
      do i = 1, w
         rain(i) = max(surface_input(i), -pond(i)/dt)/density_water
         beyond = max(-surface_input(i) - pond(i)/dt, 0.0_rk)
         available = max(water(i, 1) - lowest_water(i, 1), 0.0_rk)*thickness(i, 1)*density_water/dt - sink(i, 1)
         taken = min(beyond, max(available, 0.0_rk))
         drained(i, 1) = drained(i, 1) + taken/density_water
         unmet(i) = beyond - taken
      end do
   end subroutine limit_sinks

   !> Geometry of the faces between layers, which no sub-step changes.
   pure subroutine find_faces(nlayer, thickness, saturated, inverse_distance, harmonic)
      integer, intent(in) :: nlayer                    !! [1]
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      real(rk), intent(in) :: saturated(w, nlayer)     !! [m s-1]
      real(rk), intent(out) :: inverse_distance(w, nlayer) !! of the centres beside each lower face, not the last [m-1]
      real(rk), intent(out) :: harmonic(w, nlayer)     !! mean of the saturated conductivities there [m s-1]
      integer :: i, k
      do k = 1, nlayer - 1
         do i = 1, w
            inverse_distance(i, k) = 2.0_rk/(thickness(i, k) + thickness(i, k + 1))
            harmonic(i, k) = (thickness(i, k) + thickness(i, k + 1)) &
                             /(thickness(i, k)/saturated(i, k) + thickness(i, k + 1)/saturated(i, k + 1))
         end do
      end do
   end subroutine find_faces

   !> Solve one sub-step of every lane; lanes that have converged are frozen.
   !>
   !> Close to the solution the next residual is the square of this one, in the ratio seen before. Where that is within the
   !> tolerance the last step is taken without another evaluation, water and fluxes along the same straight line, so
   !> that mass closes to round-off.
   pure subroutine newton(step, nlayer, options, thickness, bottom, inverse_distance, harmonic, porosity, residual, curves, &
                          saturated, storage, rain, drained, depth, old_water, old_head, is_active, head, water, top_flux, &
                          bottom_flux, is_solved, iterations)
      real(rk), intent(in) :: step(w)               !! sub-step of each lane [s]
      integer, intent(in) :: nlayer                 !! [1]
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in) :: thickness(w, nlayer)  !! [m]
      real(rk), intent(in) :: bottom(w)             !! depth of the column [m]
      real(rk), intent(in) :: inverse_distance(w, nlayer) !! see find_faces [m-1]
      real(rk), intent(in) :: harmonic(w, nlayer)   !! see find_faces [m s-1]
      real(rk), intent(in) :: porosity(w, nlayer)   !! [m3 m-3]
      real(rk), intent(in) :: residual(w, nlayer)   !! [m3 m-3]
      real(rk), intent(in) :: curves(w, curve_count, nlayer)
      real(rk), intent(in) :: saturated(w, nlayer)  !! [m s-1]
      real(rk), intent(in) :: storage(w, nlayer)    !! [m-1]
      real(rk), intent(in) :: rain(w)               !! [m s-1]
      real(rk), intent(in) :: drained(w, nlayer)    !! [m s-1]
      real(rk), intent(in) :: depth(w)              !! ponded at the start [m]
      real(rk), intent(in) :: old_water(w, nlayer)  !! at the start [m3 m-3]
      real(rk), intent(in) :: old_head(w, nlayer)   !! at the start [m]
      logical, intent(in) :: is_active(w)           !! lanes to solve
      real(rk), intent(inout) :: head(w, nlayer)    !! in: guess, out: solution [m]
      real(rk), intent(out) :: water(w, nlayer)     !! at the solution [m3 m-3]
      real(rk), intent(out) :: top_flux(w)          !! down [m s-1]
      real(rk), intent(out) :: bottom_flux(w)       !! down [m s-1]
      logical, intent(out) :: is_solved(w)
      integer, intent(out) :: iterations(w)         !! [1]
      real(rk) :: saturation(w, nlayer), slope(w, nlayer), conductivity(w, nlayer), conductivity_slope(w, nlayer)
      real(rk) :: imbalance(w, nlayer), lower(w, nlayer), diagonal(w, nlayer), upper(w, nlayer)
      real(rk) :: norm(w), before(w), top(w), top_slope(w), base(w), base_slope(w)
      logical :: is_moving(w), is_done(w), is_last(w)
      integer :: i, iteration, k
      is_solved = .false.
      iterations = 0
      before = huge(1.0_rk)
      do iteration = 1, options%largest_iteration
         norm = 0.0_rk
         do k = 1, nlayer
            call evaluate_soil(options%retention, curves(:, :, k), head(:, k), saturation(:, k), slope(:, k), &
                               conductivity(:, k), conductivity_slope(:, k))
            call add_layer(step, thickness(:, k), porosity(:, k), residual(:, k), storage(:, k), drained(:, k), &
                           old_water(:, k), old_head(:, k), head(:, k), saturation(:, k), slope(:, k), imbalance(:, k), &
                           diagonal(:, k))
            if (k == 1) then
               call add_surface(step, thickness(:, 1), saturated(:, 1), rain, depth, head(:, 1), imbalance(:, 1), &
                                diagonal(:, 1), top, top_slope)
            else
               call add_face(step, inverse_distance(:, k - 1), harmonic(:, k - 1), head(:, k - 1), head(:, k), &
                             conductivity(:, k - 1), conductivity(:, k), conductivity_slope(:, k - 1), &
                             conductivity_slope(:, k), imbalance(:, k - 1), imbalance(:, k), diagonal(:, k - 1), &
                             upper(:, k - 1), lower(:, k), diagonal(:, k))
               do i = 1, w
                  norm(i) = max(norm(i), abs(imbalance(i, k - 1)))
               end do
            end if
         end do
         call add_bottom(step, options, bottom, thickness(:, nlayer), saturated(:, nlayer), head(:, nlayer), &
                         conductivity(:, nlayer), conductivity_slope(:, nlayer), imbalance(:, nlayer), &
                         diagonal(:, nlayer), base, base_slope)
         do i = 1, w
            norm(i) = max(norm(i), abs(imbalance(i, nlayer)))
            is_done(i) = .not. is_solved(i) .and. (norm(i) < options%tolerance &
                         .or. (norm(i) < options%stagnation .and. norm(i) >= 0.5_rk*before(i)))
            is_solved(i) = is_solved(i) .or. is_done(i)
            is_moving(i) = is_active(i) .and. .not. is_solved(i)
            if (is_moving(i)) iterations(i) = iteration
            ! norm**3/before**2, without overflow
            is_last(i) = is_moving(i) .and. iteration > 1 .and. norm(i) < largest_jump*options%tolerance &
                         .and. norm(i)*sqrt(norm(i)) < sqrt(options%tolerance)*before(i)
            before(i) = norm(i)
         end do
         if (any(is_done)) then
            ! what the tolerance leaves goes into the water content, so that water is conserved to round-off
            do k = 1, nlayer
               do i = 1, w
                  if (is_done(i)) water(i, k) = min(residual(i, k) + (porosity(i, k) - residual(i, k))*saturation(i, k) &
                                                    - imbalance(i, k)/thickness(i, k), porosity(i, k))
               end do
            end do
            top_flux = merge(top, top_flux, is_done)
            bottom_flux = merge(base, bottom_flux, is_done)
         end if
         if (.not. any(is_moving)) return
         call solve_tridiagonal(nlayer, lower, diagonal, upper, imbalance)
         if (any(is_last)) then
            call take_last_step(nlayer, porosity, residual, saturation, slope, imbalance, top, top_slope, base, base_slope, &
                                is_last, head, water, top_flux, bottom_flux)
            is_solved = is_solved .or. is_last
            is_moving = is_moving .and. .not. is_last
            if (.not. any(is_moving)) return
         end if
         do k = 1, nlayer
            call update_head(options%retention, is_moving, curves(:, :, k), saturation(:, k), slope(:, k), &
                             imbalance(:, k), head(:, k))
         end do
      end do
   end subroutine newton

   !> Storage and sinks of one layer: starts its imbalance and the diagonal of the matrix.
   pure subroutine add_layer(step, thickness, porosity, residual, storage, drained, old_water, old_head, head, saturation, &
                             slope, imbalance, diagonal)
      real(rk), intent(in), dimension(w) :: step, thickness, porosity, residual, storage, drained, old_water, old_head
      real(rk), intent(in), dimension(w) :: head, saturation, slope
      real(rk), intent(out), dimension(w) :: imbalance, diagonal
      real(rk) :: pores
      integer :: i
      do i = 1, w
         pores = porosity(i) - residual(i)
         imbalance(i) = thickness(i)*(residual(i) + pores*saturation(i) - old_water(i) &
                        + storage(i)*(max(head(i), 0.0_rk) - max(old_head(i), 0.0_rk))) + step(i)*drained(i)
         diagonal(i) = thickness(i)*(pores*slope(i) + merge(storage(i), 0.0_rk, head(i) >= 0.0_rk))
      end do
   end subroutine add_layer

   !> Last step of the lanes `is_last` unless a head would move far or over a kink: those stay as they are.
   pure subroutine take_last_step(nlayer, porosity, residual, saturation, slope, change, top, top_slope, base, base_slope, &
                                  is_last, head, water, top_flux, bottom_flux)
      integer, intent(in) :: nlayer                 !! [1]
      real(rk), intent(in), dimension(w, nlayer) :: porosity, residual, saturation, slope
      real(rk), intent(in) :: change(w, nlayer)     !! minus the Newton step [m]
      real(rk), intent(in), dimension(w) :: top, top_slope   !! flux and its derivative to the head [m s-1], [s-1]
      real(rk), intent(in), dimension(w) :: base, base_slope !! flux and its derivative to the head [m s-1], [s-1]
      logical, intent(inout) :: is_last(w)          !! in: lanes that may; out: lanes that did
      real(rk), intent(inout) :: head(w, nlayer), water(w, nlayer) !! [m], [m3 m-3]
      real(rk), intent(inout) :: top_flux(w), bottom_flux(w)       !! down [m s-1]
      real(rk), parameter :: short_step = 1.0e-3_rk  !! relative change of a head over which curves are straight [1]
      real(rk), parameter :: short_head = 1.0e-5_rk  !! the same near saturation [m]
      logical :: stays
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            ! curves have a kink where pores are full, and the surface where it ponds
            stays = merge(saturation(i, k) - slope(i, k)*change(i, k) < 1.0_rk, &
                          head(i, k) >= 0.0_rk .and. head(i, k) >= change(i, k), saturation(i, k) < 1.0_rk)
            is_last(i) = is_last(i) .and. stays .and. top_slope(i) >= 0.0_rk &
                         .and. abs(change(i, k)) <= short_step*abs(head(i, k)) + short_head
         end do
      end do
      do k = 1, nlayer
         do i = 1, w
            if (.not. is_last(i)) cycle
            water(i, k) = min(residual(i, k) + (porosity(i, k) - residual(i, k)) &
                              *(saturation(i, k) - slope(i, k)*change(i, k)), porosity(i, k))
            head(i, k) = head(i, k) - change(i, k)
         end do
      end do
      top_flux = merge(top - top_slope*change(:, 1), top_flux, is_last)
      bottom_flux = merge(base - base_slope*change(:, nlayer), bottom_flux, is_last)
   end subroutine take_last_step

   !> Infiltration: the supply as long as the soil takes it, else the flux under the ponded head.
   pure subroutine add_surface(step, thickness, saturated, rain, depth, head, imbalance, diagonal, flux, flux_slope)
      real(rk), intent(in) :: step(w), thickness(w), saturated(w), rain(w), depth(w), head(w)
      real(rk), intent(inout) :: imbalance(w), diagonal(w)
      real(rk), intent(out) :: flux(w)       !! down [m s-1]
      real(rk), intent(out) :: flux_slope(w) !! derivative to the head [s-1]
      real(rk) :: conductance, supply, capacity, weight
      integer :: i
      do i = 1, w
         conductance = saturated(i)/(0.5_rk*thickness(i))
         weight = 1.0_rk/(1.0_rk + conductance*step(i))
         supply = rain(i) + depth(i)/step(i)
         capacity = (conductance*(depth(i) + step(i)*rain(i) - head(i)) + saturated(i))*weight
         flux(i) = min(supply, capacity)
         flux_slope(i) = merge(-conductance*weight, 0.0_rk, capacity < supply)
         imbalance(i) = imbalance(i) - step(i)*flux(i)
         diagonal(i) = diagonal(i) - step(i)*flux_slope(i)
      end do
   end subroutine add_surface

   !> Flux between a layer (a) and the one below it (b).
   pure subroutine add_face(step, inverse_distance, harmonic, head_a, head_b, relative_a, relative_b, relative_slope_a, &
                            relative_slope_b, imbalance_a, imbalance_b, diagonal_a, upper_a, lower_b, diagonal_b)
      real(rk), intent(in), dimension(w) :: step, inverse_distance, harmonic, head_a, head_b
      real(rk), intent(in), dimension(w) :: relative_a, relative_b, relative_slope_a, relative_slope_b
      real(rk), intent(inout), dimension(w) :: imbalance_a, imbalance_b, diagonal_a, diagonal_b
      real(rk), intent(out), dimension(w) :: upper_a, lower_b
      real(rk), dimension(w) :: gradient, relative, slope_a, slope_b
      real(rk) :: contrast, ratio, inverse_log, mean, flux, carried
      logical :: is_even, is_up
      integer :: i
      do i = 1, w
         gradient(i) = (head_a(i) - head_b(i))*inverse_distance(i) + 1.0_rk
         relative(i) = relative_a(i)
         slope_a(i) = relative_slope_a(i)
         slope_b(i) = 0.0_rk
      end do
      if (any(gradient < 0.0_rk)) then
         do i = 1, w
            ! water moves up: logarithmic mean, by its series where both are nearly equal
            is_up = gradient(i) < 0.0_rk
            ratio = relative_a(i)/relative_b(i)
            contrast = (ratio - 1.0_rk)/(ratio + 1.0_rk)
            is_even = abs(contrast) < 1.0e-3_rk
            inverse_log = 1.0_rk/merge(1.0_rk, log(ratio), is_even)
            mean = merge(0.5_rk*(relative_a(i) + relative_b(i))*(1.0_rk - contrast*contrast/3.0_rk), &
                         (relative_a(i) - relative_b(i))*inverse_log, is_even)
            relative(i) = merge(mean, relative_a(i), is_up)
            slope_a(i) = merge(merge(0.5_rk, (1.0_rk - mean/relative_a(i))*inverse_log, is_even)*relative_slope_a(i), &
                               relative_slope_a(i), is_up)
            slope_b(i) = merge(merge(0.5_rk, (mean/relative_b(i) - 1.0_rk)*inverse_log, is_even)*relative_slope_b(i), &
                               0.0_rk, is_up)
         end do
      end if
      do i = 1, w
         carried = step(i)*harmonic(i)
         flux = carried*relative(i)*gradient(i)
         slope_a(i) = carried*(relative(i)*inverse_distance(i) + slope_a(i)*gradient(i))
         slope_b(i) = carried*(slope_b(i)*gradient(i) - relative(i)*inverse_distance(i))
         imbalance_a(i) = imbalance_a(i) + flux
         imbalance_b(i) = imbalance_b(i) - flux
         diagonal_a(i) = diagonal_a(i) + slope_a(i)
         upper_a(i) = slope_b(i)
         lower_b(i) = -slope_a(i)
         diagonal_b(i) = diagonal_b(i) - slope_b(i)
      end do
   end subroutine add_face

   !> Flux through the lower boundary.
   pure subroutine add_bottom(step, options, bottom, thickness, saturated, head, relative, relative_slope, imbalance, &
                              diagonal, flux, flux_slope)
      real(rk), intent(in) :: step(w)
      type(richards_options_type), intent(in) :: options
      real(rk), intent(in), dimension(w) :: bottom, thickness, saturated, head, relative, relative_slope
      real(rk), intent(inout), dimension(w) :: imbalance, diagonal
      real(rk), intent(out) :: flux(w)       !! down [m s-1]
      real(rk), intent(out) :: flux_slope(w) !! derivative to the head [s-1]
      real(rk) :: distance, pressure, gradient, carried, carried_slope
      logical :: is_below, is_down
      integer :: i
      select case (options%lower_boundary)
      case (boundary_no_flow)
         flux = 0.0_rk
         flux_slope = 0.0_rk
      case (boundary_water_table)
         do i = 1, w
            ! a water table inside the column sets the pressure at its bottom; a deeper one is reached through soil
            ! that conducts like the lowest layer
            is_below = options%water_table_depth > bottom(i)
            pressure = max(bottom(i) - options%water_table_depth, 0.0_rk)
            distance = 0.5_rk*thickness(i) + max(options%water_table_depth - bottom(i), 0.0_rk)
            gradient = (head(i) - pressure)/distance + 1.0_rk
            is_down = gradient >= 0.0_rk .or. is_below
            carried = saturated(i)*merge(relative(i), 1.0_rk, is_down)
            carried_slope = saturated(i)*merge(relative_slope(i), 0.0_rk, is_down)
            flux(i) = carried*gradient
            flux_slope(i) = carried/distance + carried_slope*gradient
         end do
      case default ! free drainage: unit gradient
         do i = 1, w
            flux(i) = saturated(i)*relative(i)
            flux_slope(i) = saturated(i)*relative_slope(i)
         end do
      end select
      do i = 1, w
         imbalance(i) = imbalance(i) + step(i)*flux(i)
         diagonal(i) = diagonal(i) + step(i)*flux_slope(i)
      end do
   end subroutine add_bottom

   !> Thomas algorithm for A x = right; one division per layer.
   pure subroutine solve_tridiagonal(nlayer, lower, diagonal, upper, right)
      integer, intent(in) :: nlayer                   !! [1]
      real(rk), intent(in) :: lower(w, nlayer)        !! [1]
      real(rk), intent(inout) :: diagonal(w, nlayer)  !! in: diagonal, out: inverse pivots [1]
      real(rk), intent(in) :: upper(w, nlayer)        !! [1]
      real(rk), intent(inout) :: right(w, nlayer)     !! in: right-hand side, out: solution [m]
      real(rk) :: factor
      integer :: i, k
      diagonal(:, 1) = 1.0_rk/diagonal(:, 1)
      do k = 2, nlayer
         do i = 1, w
            factor = lower(i, k)*diagonal(i, k - 1)
            diagonal(i, k) = 1.0_rk/(diagonal(i, k) - factor*upper(i, k - 1))
            right(i, k) = right(i, k) - factor*right(i, k - 1)
         end do
      end do
      right(:, nlayer) = right(:, nlayer)*diagonal(:, nlayer)
      do k = nlayer - 1, 1, -1
         do i = 1, w
            right(i, k) = (right(i, k) - upper(i, k)*right(i, k + 1))*diagonal(i, k)
         end do
      end do
   end subroutine solve_tridiagonal

   !> Take a Newton step of one layer, through saturation where a dry layer is wetted.
   !>
   !> In dry soil a step in head overshoots by orders of magnitude; the step in water content that belongs to it does
   !> not (Forsyth, Wu and Pruess 1995, Adv. Water Resour. 18, 25-38).
   pure subroutine update_head(scheme, is_moving, curves, saturation, slope, change, head)
      integer, intent(in) :: scheme               !! retention_*
      logical, intent(in) :: is_moving(w)         !! lanes to update
      real(rk), intent(in) :: curves(w, curve_count)
      real(rk), intent(in) :: saturation(w)       !! [1]
      real(rk), intent(in) :: slope(w)            !! of the saturation [m-1]
      real(rk), intent(in) :: change(w)           !! minus the Newton step [m]
      real(rk), intent(inout) :: head(w)          !! [m]
      real(rk), parameter :: small_step = 0.1_rk  !! share of the suction up to which a step in head is safe [1]
      real(rk), parameter :: first_drop = 0.1_rk  !! suction to which a saturated layer may fall in one step [m]
      real(rk) :: wetter(w), target(w), brim(w), straight
      logical :: is_wetting(w)
      integer :: i
      do i = 1, w
         is_wetting(i) = slope(i) > 0.0_rk .and. -change(i) > small_step*max(-head(i), 0.0_rk)
         wetter(i) = merge(saturation(i) - slope(i)*change(i), 0.5_rk, is_wetting(i))
         brim(i) = min(-0.5_rk*head(i), 0.0_rk)
         target(i) = head(i)
      end do
      if (any(is_moving .and. is_wetting)) then
         brim = 0.0_rk
         call head_of_water(scheme, curves, wetter, brim, target)
      end if
      do i = 1, w
         straight = max(head(i) - change(i), min(3.0_rk*head(i), 0.0_rk) - first_drop)
         if (is_moving(i)) head(i) = merge(target(i), straight, is_wetting(i))
      end do
   end subroutine update_head

end module pl_richards_column
