!> Heat conduction and phase change in snow, soil and bedrock: one implicit step for the whole column.
!>
!> Unknown is the enthalpy H of each row (snow layers, then soil, then bedrock) per m2 of ground, zero for ice and solids
!> at the freezing point T_f. With the water mass W of a row and its liquid part l,
!>
!>     H = (C_dry + c_i (W - l) + c_w l)(T - T_f) + L_f l
!>
!> Snow holds no liquid below T_f; water that meets cold snow comes at T_f. Soil does: l <= film + scale (T_f - T)**(-power),
!> the freezing point depression by matric suction of Niu and Yang (2006, J. Hydrometeorol. 7, 937-952, eq. 3), from the
!> soil's own retention curve.
!> Both make T a function of H without history, so that conduction and phase change are one system,
!>
!>     H1 = H0 + gamma dt F(T(H1)),   H2 = H0 + (1 - gamma)/gamma (H1 - H0) + gamma dt F(T(H2)),
!>
!> the two stages of the L-stable, second-order SDIRK scheme of Alexander (1977, SIAM J. Numer. Anal. 14, 1006-1021),
!> gamma = 1 - 1/sqrt(2), each solved by Newton's method in H (tridiagonal; Nicolsky et al. 2007, Geophys. Res. Lett. 34,
!> L08501 discuss enthalpy schemes for frozen ground). Without water near T_f the system is linear and one iteration
!> exact. Enthalpy is booked with the fluxes of the last linear solve and closes to round-off whatever the tolerance.
module pl_ground_heat
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, heat_capacity_ice, heat_capacity_water, latent_fusion
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: exchange_type, ground_heat_step, row_enthalpy

   real(rk), parameter :: stage = 1.0_rk - sqrt(0.5_rk)        !! gamma of Alexander's scheme [1]
   real(rk), parameter :: tolerance = 1.0e-4_rk                !! linearised less true temperature of a row [K]
   real(rk), parameter :: curve_tolerance = 1.0e-12_rk         !! relative, of the freezing point depression [1]
   real(rk), parameter :: never = 1.0e3_rk                     !! depression of a row that does not freeze [K]
   integer, parameter :: largest_iteration = 30                !! of Newton's method in a stage [1]
   integer, parameter :: chord_after = 8                       !! iterations after which slopes are damped [1]
   integer, parameter :: largest_curve_iteration = 40          !! of the inversion of the freezing curve [1]
   real(rk), parameter :: capacity_gain = heat_capacity_water - heat_capacity_ice !! on melting [J kg-1 K-1]

   !> Exchange of a surface with what lies above it, linear in its temperature; per m2 of ground.
   type :: exchange_type
      real(rk) :: flux(w)   !! into the surface at its temperature at the start [W m-2]
      real(rk) :: slope(w)  !! derivative to the temperature, not positive [W m-2 K-1]
      real(rk) :: start(w)  !! temperature of the surface at the start [K]
      real(rk) :: change(w) !! result: mean of temperature less `start` over the step, as the flux sees it [K]
   end type exchange_type

contains

   !> Advance temperature and liquid water of all rows.
   pure subroutine ground_heat_step(dt, nsnow, nlayer, nrow, top, dry_capacity, water, film, curve_scale, curve_power, &
                                    conductance, source, snow_surface, soil_surface, temperature, liquid, snow_heat, &
                                    soil_heat, iterations)
      real(rk), intent(in) :: dt                       !! time step [s]
      integer, intent(in) :: nsnow                     !! snow rows, present or not [1]
      integer, intent(in) :: nlayer                    !! soil rows that may hold water [1]
      integer, intent(in) :: nrow                      !! all rows [1]
      integer, intent(in) :: top(w)                    !! row of the snow surface; nsnow + 1 without snow [1]
      real(rk), intent(in) :: dry_capacity(w, nrow)    !! heat capacity without water; 1 in absent rows [J m-2 K-1]
      real(rk), intent(in) :: water(w, nrow)           !! ice and liquid [kg m-2]
      real(rk), intent(in) :: film(w, nlayer)          !! soil water that does not freeze [kg m-2]
      real(rk), intent(in) :: curve_scale(w, nlayer)   !! of the freezing curve [kg m-2 K**power]
      real(rk), intent(in) :: curve_power(w, nlayer)   !! of the freezing curve [1]
      real(rk), intent(in) :: conductance(w, nrow)     !! to the row below; last: 0 [W m-2 K-1]
      real(rk), intent(in) :: source(w, nrow)          !! light absorbed within, heat through the base [W m-2]
      type(exchange_type), intent(inout) :: snow_surface !! of row `top` where there is snow
      type(exchange_type), intent(inout) :: soil_surface !! of row nsnow + 1
      real(rk), intent(inout) :: temperature(w, nrow)  !! [K]
      real(rk), intent(inout) :: liquid(w, nrow)       !! [kg m-2]
      real(rk), intent(out) :: snow_heat(w)            !! gain of enthalpy of the snow rows [J m-2]
      real(rk), intent(out) :: soil_heat(w)            !! gain of enthalpy of all other rows [J m-2]
      integer, intent(out) :: iterations(w)            !! of Newton's method, both stages [1]
      real(rk), dimension(w, nrow) :: base, enthalpy, first, slope, guess
      real(rk) :: onset(w, nlayer), snow_change(w), soil_change(w), gain
      logical :: is_known(nlayer) ! rows whose onset has been computed: those that may freeze
      integer :: i, k

      do k = 1, nrow
         do i = 1, w
            base(i, k) = row_enthalpy(dry_capacity(i, k), water(i, k), liquid(i, k), temperature(i, k))
            ! water that has come to cold snow since the last step is at the freezing point
            if (k <= nsnow) base(i, k) = base(i, k) - heat_capacity_water*liquid(i, k)*(temperature(i, k) - freezing_point)
            enthalpy(i, k) = base(i, k)
            guess(i, k) = temperature(i, k)
         end do
      end do
      onset = never
      is_known = .false.
      iterations = 0
      call invert(nsnow, nlayer, nrow, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, enthalpy, &
                  guess, slope)
      call solve_stage(stage*dt, nsnow, nlayer, nrow, top, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, &
                       conductance, source, snow_surface, soil_surface, base, enthalpy, guess, slope, snow_change, &
                       soil_change, iterations)
      snow_surface%change = (1.0_rk - stage)*snow_change
      soil_surface%change = (1.0_rk - stage)*soil_change
      do k = 1, nrow
         do i = 1, w
            first(i, k) = base(i, k) + (1.0_rk - stage)/stage*(enthalpy(i, k) - base(i, k))
         end do
      end do
      call solve_stage(stage*dt, nsnow, nlayer, nrow, top, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, &
                       conductance, source, snow_surface, soil_surface, first, enthalpy, guess, slope, snow_change, &
                       soil_change, iterations)
      snow_surface%change = snow_surface%change + stage*snow_change
      soil_surface%change = soil_surface%change + stage*soil_change

      call settle_round_off(dt, nsnow, nrow, source, snow_surface, soil_surface, base, enthalpy)
      call pass_excess(nsnow, nrow, dry_capacity, water, enthalpy)
      call invert(nsnow, nlayer, nrow, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, &
                  enthalpy, guess, slope)
      call split_water(nsnow, nlayer, nrow, dry_capacity, water, onset, enthalpy, guess, liquid)
      snow_heat = 0.0_rk
      soil_heat = 0.0_rk
      do k = 1, nrow
         do i = 1, w
            temperature(i, k) = guess(i, k)
            gain = row_enthalpy(dry_capacity(i, k), water(i, k), liquid(i, k), guess(i, k)) - base(i, k)
            if (k <= nsnow) then
               snow_heat(i) = snow_heat(i) + gain
            else
               soil_heat(i) = soil_heat(i) + gain
            end if
         end do
      end do
   end subroutine ground_heat_step

   !> Enthalpy of a row.
   elemental function row_enthalpy(dry_capacity, water, liquid, temperature) result(enthalpy)
      real(rk), intent(in) :: dry_capacity !! [J m-2 K-1]
      real(rk), intent(in) :: water        !! ice and liquid [kg m-2]
      real(rk), intent(in) :: liquid       !! [kg m-2]
      real(rk), intent(in) :: temperature  !! [K]
      real(rk) :: enthalpy                 !! [J m-2]
      enthalpy = (dry_capacity + heat_capacity_ice*water + capacity_gain*liquid)*(temperature - freezing_point) &
                 + latent_fusion*liquid
   end function row_enthalpy

   !> Depression of the freezing point at which all water of a soil row is just liquid.
   pure subroutine find_onset(water, film, curve_scale, curve_power, onset)
      real(rk), dimension(w), intent(in) :: water, film, curve_scale, curve_power
      real(rk), intent(out) :: onset(w)      !! [K]
      real(rk) :: free, exponent
      integer :: i
      do i = 1, w
         free = water(i) - film(i)
         ! no quotient: over tiny, for rows that hold no more than their film, it overflows
         exponent = (log(curve_scale(i)) - log(max(free, tiny(free))))/curve_power(i)
         onset(i) = merge(min(exp(min(exponent, log(never))), never), never, free > 0.0_rk)
      end do
   end subroutine find_onset

   !> Solve H - weight F(T(H)) = base for all lanes; lanes that have converged stay as they are.
   pure subroutine solve_stage(weight, nsnow, nlayer, nrow, top, dry_capacity, water, film, curve_scale, curve_power, &
                               onset, is_known, conductance, source, snow_surface, soil_surface, base, enthalpy, temperature, &
                               slope, snow_change, soil_change, iterations)
      real(rk), intent(in) :: weight                     !! gamma dt [s]
      integer, intent(in) :: nsnow, nlayer, nrow, top(w) !! as in ground_heat_step
      real(rk), dimension(w, nrow), intent(in) :: dry_capacity, water, conductance, source, base
      real(rk), dimension(w, nlayer), intent(in) :: film, curve_scale, curve_power
      real(rk), intent(inout) :: onset(w, nlayer)        !! depression at which soil rows begin to freeze [K]
      logical, intent(inout) :: is_known(nlayer)         !! rows whose onset has been computed
      type(exchange_type), intent(in) :: snow_surface, soil_surface
      real(rk), intent(inout) :: enthalpy(w, nrow)       !! in: guess; out: solution [J m-2]
      real(rk), intent(inout) :: temperature(w, nrow)    !! that of the enthalpy [K]
      real(rk), intent(inout) :: slope(w, nrow)          !! of temperature to enthalpy [K m2 J-1]
      real(rk), intent(out) :: snow_change(w)            !! of the snow surface as the fluxes saw it [K]
      real(rk), intent(out) :: soil_change(w)            !! of the soil surface [K]
      integer, intent(inout) :: iterations(w)
      real(rk), dimension(w, nrow) :: step, linear, trial, trial_temperature, trial_slope
      real(rk) :: miss(w)
      logical :: active(w)
      integer :: i, iteration, k
      active = .true.
      snow_change = 0.0_rk
      soil_change = 0.0_rk
      do iteration = 1, largest_iteration
         call newton_step(weight, nsnow, nrow, top, conductance, source, snow_surface, soil_surface, base, enthalpy, &
                          temperature, slope, step)
         do k = 1, nrow
            do i = 1, w
               linear(i, k) = temperature(i, k) + slope(i, k)*step(i, k)
               trial(i, k) = enthalpy(i, k) + step(i, k)
               trial_temperature(i, k) = temperature(i, k)
            end do
         end do
         call invert(nsnow, nlayer, nrow, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, trial, &
                     trial_temperature, trial_slope)
         if (iteration > chord_after) call damp_slopes(nrow, step, temperature, trial_temperature, trial_slope)
         miss = 0.0_rk
         do k = 1, nrow
            do i = 1, w
               miss(i) = max(miss(i), abs(linear(i, k) - trial_temperature(i, k)))
               enthalpy(i, k) = merge(trial(i, k), enthalpy(i, k), active(i))
               temperature(i, k) = merge(trial_temperature(i, k), temperature(i, k), active(i))
               slope(i, k) = merge(trial_slope(i, k), slope(i, k), active(i))
            end do
         end do
         call surface_changes(nsnow, nrow, top, snow_surface, soil_surface, active, linear, snow_change, soil_change)
         do i = 1, w
            iterations(i) = iterations(i) + merge(1, 0, active(i))
            active(i) = active(i) .and. miss(i) > tolerance
         end do
         if (.not. any(active)) exit
      end do
   end subroutine solve_stage

   !> Half-way slopes between tangents and the chords of the last step.
   !>
   !> The system is monotone but bent both ways: where Newton's slopes cycle, those of chords do not.
   pure subroutine damp_slopes(nrow, step, temperature, trial_temperature, trial_slope)
      integer, intent(in) :: nrow
      real(rk), intent(in) :: step(w, nrow)              !! of the enthalpy [J m-2]
      real(rk), intent(in) :: temperature(w, nrow)       !! before it [K]
      real(rk), intent(in) :: trial_temperature(w, nrow) !! after it [K]
      real(rk), intent(inout) :: trial_slope(w, nrow)    !! [K m2 J-1]
      real(rk) :: chord
      logical :: moved
      integer :: i, k
      do k = 1, nrow
         do i = 1, w
            moved = abs(step(i, k)) > 0.0_rk
            chord = (trial_temperature(i, k) - temperature(i, k))/merge(step(i, k), 1.0_rk, moved)
            trial_slope(i, k) = merge(0.5_rk*(trial_slope(i, k) + chord), trial_slope(i, k), moved)
         end do
      end do
   end subroutine damp_slopes

   !> Change of the surfaces in the linear system, for the lanes that moved.
   pure subroutine surface_changes(nsnow, nrow, top, snow_surface, soil_surface, active, linear, snow_change, soil_change)
      integer, intent(in) :: nsnow, nrow, top(w)
      type(exchange_type), intent(in) :: snow_surface, soil_surface
      logical, intent(in) :: active(w)
      real(rk), intent(in) :: linear(w, nrow)      !! temperature of the linear system [K]
      real(rk), intent(inout) :: snow_change(w)    !! [K]
      real(rk), intent(inout) :: soil_change(w)    !! [K]
      integer :: i, k
      do k = 1, nsnow
         do i = 1, w
            snow_change(i) = merge(linear(i, k) - snow_surface%start(i), snow_change(i), active(i) .and. k == top(i))
         end do
      end do
      do i = 1, w
         soil_change(i) = merge(linear(i, nsnow + 1) - soil_surface%start(i), soil_change(i), active(i))
      end do
   end subroutine surface_changes

   !> Solve (I - weight dF/dT dT/dH) step = base + weight F - H.
   pure subroutine newton_step(weight, nsnow, nrow, top, conductance, source, snow_surface, soil_surface, base, enthalpy, &
                               temperature, slope, step)
      real(rk), intent(in) :: weight
      integer, intent(in) :: nsnow, nrow, top(w)
      real(rk), dimension(w, nrow), intent(in) :: conductance, source, base, enthalpy, temperature, slope
      type(exchange_type), intent(in) :: snow_surface, soil_surface
      real(rk), intent(out) :: step(w, nrow) !! [J m-2]
      real(rk) :: upper(w, nrow)             ! upper diagonal over the pivot [1]
      real(rk) :: above(w)                   ! flux from the row above [W m-2]
      real(rk) :: coupled(w)                 ! conductance to the row above [W m-2 K-1]
      real(rk) :: flux, exchange, lower, pivot, below, gain
      logical :: is_surface
      integer :: i, k
      above = 0.0_rk
      coupled = 0.0_rk
      do k = 1, nrow
         do i = 1, w
            below = 0.0_rk
            if (k < nrow) below = conductance(i, k)*(temperature(i, k) - temperature(i, min(k + 1, nrow)))
            gain = 0.0_rk
            exchange = 0.0_rk
            if (k <= nsnow) then
               is_surface = k == top(i)
               exchange = merge(snow_surface%slope(i), 0.0_rk, is_surface)
               gain = merge(snow_surface%flux(i), 0.0_rk, is_surface) &
                      + exchange*(temperature(i, k) - snow_surface%start(i))
            else if (k == nsnow + 1) then
               exchange = soil_surface%slope(i)
               gain = soil_surface%flux(i) + exchange*(temperature(i, k) - soil_surface%start(i))
            end if
            flux = above(i) - below + gain + source(i, k)
            lower = 0.0_rk
            pivot = 1.0_rk + weight*(coupled(i) + conductance(i, k) - exchange)*slope(i, k)
            step(i, k) = base(i, k) + weight*flux - enthalpy(i, k)
            if (k > 1) then
               lower = weight*coupled(i)*slope(i, k - 1)
               pivot = pivot - lower*upper(i, k - 1)
               step(i, k) = step(i, k) + lower*step(i, k - 1)
            end if
            step(i, k) = step(i, k)/pivot
            if (k < nrow) upper(i, k) = weight*conductance(i, k)*slope(i, min(k + 1, nrow))/pivot
            above(i) = below
            coupled(i) = conductance(i, k)
         end do
      end do
      do k = nrow - 1, 1, -1
         do i = 1, w
            step(i, k) = step(i, k) + upper(i, k)*step(i, k + 1)
         end do
      end do
   end subroutine newton_step

   !> Temperatures of all rows from their enthalpy, and the slopes dT/dH.
   pure subroutine invert(nsnow, nlayer, nrow, dry_capacity, water, film, curve_scale, curve_power, onset, is_known, enthalpy, &
                          temperature, slope)
      integer, intent(in) :: nsnow, nlayer, nrow
      real(rk), dimension(w, nrow), intent(in) :: dry_capacity, water, enthalpy
      real(rk), dimension(w, nlayer), intent(in) :: film, curve_scale, curve_power
      real(rk), intent(inout) :: onset(w, nlayer)        !! depression at which soil rows begin to freeze [K]
      logical, intent(inout) :: is_known(nlayer)         !! rows whose onset has been computed
      real(rk), intent(inout) :: temperature(w, nrow) !! in: guess; out: [K]
      real(rk), intent(out) :: slope(w, nrow)         !! [K m2 J-1]
      real(rk) :: cold, warm, latent, excess, unfrozen(w)
      logical :: is_cold, is_warm, is_frozen(w)
      integer :: i, k, m
      do k = 1, nsnow
         do i = 1, w
            cold = 1.0_rk/(dry_capacity(i, k) + heat_capacity_ice*water(i, k))
            warm = 1.0_rk/(dry_capacity(i, k) + heat_capacity_water*water(i, k))
            latent = latent_fusion*water(i, k)
            is_cold = enthalpy(i, k) < 0.0_rk
            is_warm = enthalpy(i, k) >= latent
            slope(i, k) = merge(cold, merge(warm, 0.0_rk, is_warm), is_cold)
            excess = merge(enthalpy(i, k), enthalpy(i, k) - latent, is_cold)
            temperature(i, k) = freezing_point + slope(i, k)*excess
         end do
      end do
      do k = nsnow + 1, nrow
         m = min(k - nsnow, nlayer)
         do i = 1, w
            slope(i, k) = 1.0_rk/(dry_capacity(i, k) + heat_capacity_water*water(i, k))
            unfrozen(i) = freezing_point + slope(i, k)*(enthalpy(i, k) - latent_fusion*water(i, k))
         end do
         is_frozen = .false.
         if (k <= nsnow + nlayer .and. any(unfrozen < freezing_point)) then
            if (.not. is_known(m)) call find_onset(water(:, k), film(:, m), curve_scale(:, m), curve_power(:, m), onset(:, m))
            is_known(m) = .true.
            is_frozen = freezing_point - unfrozen > onset(:, m)
            if (any(is_frozen)) call invert_frozen(is_frozen, dry_capacity(:, k), water(:, k), film(:, m), curve_scale(:, m), &
                                                   curve_power(:, m), onset(:, m), enthalpy(:, k), temperature(:, k), &
                                                   slope(:, k))
         end if
         temperature(:, k) = merge(temperature(:, k), unfrozen, is_frozen)
      end do
   end subroutine invert

   !> Depression u = T_f - T of frozen soil: root of (C_dry + c_i W + (c_w - c_i) l(u)) u - L_f l(u) + H.
   !>
   !> The function rises and bends downward, so that Newton's method from the left of the root never passes it.
   pure subroutine invert_frozen(is_frozen, dry_capacity, water, film, curve_scale, curve_power, onset, enthalpy, &
                                 temperature, slope)
      logical, intent(in) :: is_frozen(w)
      real(rk), dimension(w), intent(in) :: dry_capacity, water, film, curve_scale, curve_power, onset, enthalpy
      real(rk), intent(inout) :: temperature(w) !! in: guess; out: of the frozen lanes [K]
      real(rk), intent(inout) :: slope(w)       !! of the frozen lanes [K m2 J-1]
      real(rk) :: depression(w), rate(w), held(w), change(w), value, cold
      logical :: active(w)
      integer :: i, iteration
      active = is_frozen
      do i = 1, w
         depression(i) = max(freezing_point - temperature(i), merge(onset(i), 1.0_rk, is_frozen(i)))
      end do
      do iteration = 1, largest_curve_iteration
         ! the powers in a loop of their own, which vectorises
         do i = 1, w
            held(i) = curve_scale(i)*exp(-curve_power(i)*log(depression(i)))
         end do
         do i = 1, w
            cold = dry_capacity(i) + heat_capacity_ice*water(i)
            value = (cold + capacity_gain*(film(i) + held(i)))*depression(i) - latent_fusion*(film(i) + held(i)) + enthalpy(i)
            rate(i) = cold + capacity_gain*(film(i) + (1.0_rk - curve_power(i))*held(i)) &
                      + latent_fusion*curve_power(i)*held(i)/depression(i)
            change(i) = max(depression(i) - value/rate(i), onset(i)) - depression(i)
         end do
         do i = 1, w
            depression(i) = depression(i) + merge(change(i), 0.0_rk, active(i))
            slope(i) = merge(1.0_rk/rate(i), slope(i), active(i))
            active(i) = active(i) .and. abs(change(i)) > curve_tolerance*depression(i)
         end do
         if (.not. any(active)) exit
      end do
      temperature = merge(freezing_point - depression, temperature, is_frozen)
   end subroutine invert_frozen

   !> Give the top soil row what the linear solves lost: round-off, which layers of micrometres beside metres make large.
   pure subroutine settle_round_off(dt, nsnow, nrow, source, snow_surface, soil_surface, base, enthalpy)
      real(rk), intent(in) :: dt                   !! [s]
      integer, intent(in) :: nsnow, nrow
      real(rk), dimension(w, nrow), intent(in) :: source, base
      type(exchange_type), intent(in) :: snow_surface, soil_surface
      real(rk), intent(inout) :: enthalpy(w, nrow) !! [J m-2]
      real(rk) :: missing(w)
      integer :: i, k
      missing = dt*(snow_surface%flux + snow_surface%slope*snow_surface%change &
                    + soil_surface%flux + soil_surface%slope*soil_surface%change)
      do k = 1, nrow
         do i = 1, w
            missing(i) = missing(i) + (dt*source(i, k) - (enthalpy(i, k) - base(i, k)))
         end do
      end do
      do i = 1, w
         enthalpy(i, nsnow + 1) = enthalpy(i, nsnow + 1) + missing(i)
      end do
   end subroutine settle_round_off

   !> Heat above the freezing point of snow that has melted goes to the row below it, and from the lowest into the soil,
   !> as deep as it must so that no row gets warmer than the melt water was.
   pure subroutine pass_excess(nsnow, nrow, dry_capacity, water, enthalpy)
      integer, intent(in) :: nsnow, nrow
      real(rk), intent(in) :: dry_capacity(w, nrow) !! [J m-2 K-1]
      real(rk), intent(in) :: water(w, nrow)        !! [kg m-2]
      real(rk), intent(inout) :: enthalpy(w, nrow)  !! [J m-2]
      real(rk) :: excess(w), warmest(w), own, melted, taken
      integer :: i, k
      excess = 0.0_rk
      warmest = freezing_point
      do k = 1, nsnow
         do i = 1, w
            melted = latent_fusion*water(i, k)
            own = (enthalpy(i, k) - melted)/merge(heat_capacity_water*water(i, k), 1.0_rk, water(i, k) > 0.0_rk)
            warmest(i) = max(warmest(i), freezing_point + merge(own, 0.0_rk, water(i, k) > 0.0_rk))
            enthalpy(i, k) = enthalpy(i, k) + excess(i)
            excess(i) = merge(max(enthalpy(i, k) - melted, 0.0_rk), 0.0_rk, water(i, k) > 0.0_rk)
            enthalpy(i, k) = merge(min(enthalpy(i, k), melted), enthalpy(i, k), water(i, k) > 0.0_rk)
         end do
      end do
      if (all(excess <= 0.0_rk)) return
      do k = nsnow + 1, nrow
         do i = 1, w
            taken = row_enthalpy(dry_capacity(i, k), water(i, k), water(i, k), warmest(i)) - enthalpy(i, k)
            taken = min(excess(i), max(taken, 0.0_rk))
            enthalpy(i, k) = enthalpy(i, k) + taken
            excess(i) = excess(i) - taken
         end do
      end do
      ! a column that is warmer throughout
      enthalpy(:, nsnow + 1) = enthalpy(:, nsnow + 1) + excess
   end subroutine pass_excess

   !> Liquid water of all rows from enthalpy and temperature; exactly none or all where the phase is plain.
   pure subroutine split_water(nsnow, nlayer, nrow, dry_capacity, water, onset, enthalpy, temperature, liquid)
      integer, intent(in) :: nsnow, nlayer, nrow
      real(rk), dimension(w, nrow), intent(in) :: dry_capacity, water, enthalpy, temperature
      real(rk), intent(in) :: onset(w, nlayer)   !! [K]
      real(rk), intent(inout) :: liquid(w, nrow) !! [kg m-2]
      real(rk) :: depression, part
      logical :: is_all, is_none
      integer :: i, k
      do k = 1, nsnow + nlayer
         do i = 1, w
            depression = freezing_point - temperature(i, k)
            part = (enthalpy(i, k) + (dry_capacity(i, k) + heat_capacity_ice*water(i, k))*depression) &
                   /(latent_fusion - capacity_gain*depression)
            is_none = k <= nsnow .and. enthalpy(i, k) < 0.0_rk
            is_all = enthalpy(i, k) >= latent_fusion*water(i, k)
            if (k > nsnow) is_all = is_all .or. depression <= onset(i, max(k - nsnow, 1))
            liquid(i, k) = merge(water(i, k), merge(0.0_rk, min(max(part, 0.0_rk), water(i, k)), is_none), is_all)
         end do
      end do
      do k = nsnow + nlayer + 1, nrow
         liquid(:, k) = 0.0_rk
      end do
   end subroutine split_water

end module pl_ground_heat
