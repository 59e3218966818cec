!> Energy, water vapour and CO2 exchange of a canopy and the ground below it.
!>
!> CLM Technical Note, section 5.3: leaves and ground exchange heat and vapour with the air between them, that
!> air with the atmosphere. The temperature of the leaves closes their energy balance; stability, stomata and the
!> humidity of the canopy air follow it from pass to pass. Differences from the note's iteration, not from its
!> equations: the sign of the vapour flux and the limit by intercepted water are solved exactly; leaf temperature
!> is solved at fixed conductances within a pass, so that stability is the only outer unknown, which a bounded
!> secant brings to rest. (Wet leaves make both react so strongly to each other that joint steps cycle.)
!>
!> Lanes that have converged keep their iterate; the passes that other lanes still need reproduce their results,
!> so that a lane depends on nothing but its own data.
module pl_canopy_fluxes
   use pl_bare_ground_fluxes, only: canopy_area_limit
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: gas_constant, heat_capacity_air, kinematic_viscosity_air, latent_fusion, latent_vaporisation, &
                           stefan_boltzmann, von_karman
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_state_type, flux_chunk_type, ground_chunk_type, land_options_type, &
                            plant_chunk_type, radiation_chunk_type, weather_chunk_type
   use pl_moist_air, only: saturation_chunk
   use pl_monin_obukhov, only: aerodynamic_resistance, first_stability, next_stability
   use pl_photosynthesis, only: acclimate, acclimation_type, canopy_capacity, internal_co2_guess, kinetics_type, &
                                leaf_air_type, leaf_rate_type, temperature_response, update_leaf
   implicit none (type, external)
   private
   public :: canopy_fluxes

   integer, parameter :: iteration_limit = 40                !! passes of the leaf temperature [1]
   integer, parameter :: newton_steps = 2                    !! of the leaf temperature in a pass [1]
   integer, parameter :: first_updates = 3                   !! steps of the internal CO2 in the first pass [1]
   real(rk), parameter :: tolerance_temperature = 0.01_rk    !! of the leaf temperature [K]
   real(rk), parameter :: tolerance_latent = 0.1_rk          !! of the latent heat flux [W m-2]
   real(rk), parameter :: tolerance_co2 = 0.05_rk            !! of the internal CO2 pressure [Pa]
   real(rk), parameter :: coldest = -40.0_rk, hottest = 60.0_rk !! bracket of the leaf temperature about the air [K]
   real(rk), parameter :: largest_step = 10.0_rk             !! of the leaf temperature [K]
   real(rk), parameter :: leaf_transfer = 0.01_rk            !! C_v, leaf boundary layer [m s-1/2]
   real(rk), parameter :: dense_transfer = 0.004_rk          !! C_s below a dense canopy [1]
   real(rk), parameter :: bare_transfer = von_karman/0.13_rk !! C_s of bare ground at unit Reynolds number [1]
   real(rk), parameter :: bare_power = -0.45_rk              !! of the roughness Reynolds number [1]
   real(rk), parameter :: full_cover = 2.0_rk !! leaf and stem area that hides the ground's roughness [1]
   real(rk), parameter :: smallest_leaf = 1.0e-3_rk          !! leaf dimension [m]
   real(rk), parameter :: micro = 1.0e-6_rk
   real(rk), parameter :: molar_ratio = 0.622_rk             !! water vapour to dry air [1]

   !> What stays the same over the iteration.
   type :: setting_type
      real(rk), dimension(w) :: area, height, roughness, log_ratio, virtual_air, capacity_sunlit, capacity_shaded
      real(rk), dimension(w) :: root_leaf, open_ground, longwave_constant, longwave_factor, molar_volume
      real(rk), dimension(w) :: dry_scale, wet, water_limit
      real(rk), dimension(w) :: snow_share, latent_wet, ground_humidity
      logical :: is_canopy(w)
      type(acclimation_type) :: acclimation
   end type setting_type

   !> What a pass starts from: the only values carried to the next one.
   type :: iterate_type
      real(rk), dimension(w) :: leaf_temperature, zeta, wind, air_humidity, sunlit_co2, shaded_co2
      real(rk), dimension(w) :: last_step, last_latent, last_zeta, last_zeta_step
   end type iterate_type

   !> What a pass gives: conductances [m s-1] and the leaf energy balance.
   type :: pass_type
      real(rk), dimension(w) :: ustar, resistance, boundary, to_air, to_ground, to_soil, to_snow, to_leaf
      real(rk), dimension(w) :: transpiring, canopy_stomata, vapour_from_leaf, warming, moistening
      type(leaf_rate_type) :: sunlit, shaded
      real(rk), dimension(w) :: saturation_pressure, saturation, saturation_slope
      real(rk), dimension(w) :: air_temperature, air_humidity, sensible, longwave, dry_vapour, wet_vapour, step
   end type pass_type

contains

   !> Fluxes of the lanes whose patch exists and has a canopy; zero in the other lanes.
   pure subroutine canopy_fluxes(dt, options, weather, plant, ground, radiation, wet_fraction, dry_fraction, state, &
                                 flux, converged)
      real(rk), intent(in) :: dt               !! time step [s]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(in) :: radiation
      real(rk), intent(in) :: wet_fraction(w)  !! of leaves and stems [1]
      real(rk), intent(in) :: dry_fraction(w)  !! dry leaves over leaves and stems [1]
      type(canopy_state_type), intent(inout) :: state !! leaf temperature: first guess, then result
      type(flux_chunk_type), intent(out) :: flux
      logical, intent(out), optional :: converged(w) !! within the tolerances before the limit of passes
      type(setting_type) :: setting
      type(iterate_type) :: iterate
      type(pass_type) :: pass
      logical :: active(w)
      integer :: i, iteration

      call clear(flux)
      setting%is_canopy = plant%fraction > 0.0_rk .and. plant%leaf_area + plant%stem_area >= canopy_area_limit
      active = setting%is_canopy
      if (any(active)) then
         call prepare(dt, weather, plant, ground, radiation, wet_fraction, dry_fraction, state, setting)
         call first_iterate(options, weather, ground, state, setting, iterate)
         do iteration = 1, iteration_limit
            call find_conductances(iteration, options, weather, plant, radiation, setting, iterate, pass)
            call solve_leaf(weather, ground, radiation, setting, iterate%leaf_temperature, pass)
            do i = 1, w
               flux%iterations(i) = flux%iterations(i) + merge(1.0_rk, 0.0_rk, active(i))
            end do
            call next_iterate(iteration, options, weather, setting, pass, active, iterate)
            if (.not. any(active)) exit
         end do
         call store_canopy(weather, ground, radiation, setting, iterate, pass, state, flux)
      end if
      if (present(converged)) converged = .not. active
   end subroutine canopy_fluxes

   !> Zero in all members.
   pure subroutine clear(flux)
      type(flux_chunk_type), intent(out) :: flux
      flux%sensible_canopy = 0.0_rk
      flux%sensible_ground = 0.0_rk
      flux%sensible_ground_slope = 0.0_rk
      flux%sensible_snow = 0.0_rk
      flux%sensible_snow_slope = 0.0_rk
      flux%transpiration = 0.0_rk
      flux%canopy_evaporation = 0.0_rk
      flux%canopy_snow_share = 0.0_rk
      flux%ground_evaporation = 0.0_rk
      flux%ground_evaporation_slope = 0.0_rk
      flux%sublimation = 0.0_rk
      flux%sublimation_slope = 0.0_rk
      flux%longwave_ground = 0.0_rk
      flux%longwave_ground_slope = 0.0_rk
      flux%longwave_snow = 0.0_rk
      flux%longwave_snow_slope = 0.0_rk
      flux%longwave_canopy = 0.0_rk
      flux%longwave_up = 0.0_rk
      flux%friction_velocity = 0.0_rk
      flux%gross_photosynthesis = 0.0_rk
      flux%leaf_respiration = 0.0_rk
      flux%canopy_conductance = 0.0_rk
      flux%iterations = 0.0_rk
   end subroutine clear

   !> Roughness, capacities and the constant part of the longwave balance.
   pure subroutine prepare(dt, weather, plant, ground, radiation, wet_fraction, dry_fraction, state, setting)
      real(rk), intent(in) :: dt              !! [s]
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(in) :: radiation
      real(rk), intent(in) :: wet_fraction(w) !! [1]
      real(rk), intent(in) :: dry_fraction(w) !! [1]
      type(canopy_state_type), intent(in) :: state
      type(setting_type), intent(inout) :: setting
      real(rk) :: cover, rough, ev, eg, held
      integer :: i
      call acclimate(plant%growth_temperature, setting%acclimation)
      call canopy_capacity(plant%leaf_area, radiation%extinction, radiation%sunlit_leaf_area, &
                           radiation%shaded_leaf_area, setting%capacity_sunlit, setting%capacity_shaded)
      do i = 1, w
         setting%area(i) = max(plant%leaf_area(i) + plant%stem_area(i), canopy_area_limit)
         setting%capacity_sunlit(i) = setting%capacity_sunlit(i)*plant%vcmax25_top(i)*plant%daylength_factor(i)
         setting%capacity_shaded(i) = setting%capacity_shaded(i)*plant%vcmax25_top(i)*plant%daylength_factor(i)
         ! a canopy is at least as rough as its ground; weights of NCAR/TN-503+STR, equations 5.125-5.127
         cover = (1.0_rk - exp(-min(setting%area(i), full_cover)))/(1.0_rk - exp(-full_cover))
         rough = log(max(plant%canopy_top(i)*plant%roughness_ratio(i), ground%roughness(i)))
         setting%roughness(i) = exp(cover*rough + (1.0_rk - cover)*log(ground%roughness(i)))
         setting%height(i) = weather%reference_height(i) + setting%roughness(i)
         setting%log_ratio(i) = log(setting%height(i)/setting%roughness(i))
         setting%virtual_air(i) = weather%potential_temperature(i)*(1.0_rk + 0.61_rk*weather%specific_humidity(i))
         setting%root_leaf(i) = leaf_transfer/sqrt(max(plant%leaf_dimension(i), smallest_leaf))
         setting%open_ground(i) = bare_transfer*exp(bare_power*log(ground%roughness(i)/kinematic_viscosity_air))
         setting%molar_volume(i) = micro*gas_constant*weather%potential_temperature(i)/weather%air_pressure(i)
         ev = radiation%canopy_emissivity(i)
         eg = ground%emissivity(i)
         setting%longwave_factor(i) = (2.0_rk - ev*(1.0_rk - eg))*ev*stefan_boltzmann
         setting%longwave_constant(i) = -ev*eg*stefan_boltzmann*ground%fourth_power(i) &
                                        - ev*(1.0_rk + (1.0_rk - eg)*(1.0_rk - ev))*weather%longwave_down(i)
         ! dry_fraction is of leaves and stems; per leaf area, and nothing where the roots find no water
         setting%dry_scale(i) = merge(dry_fraction(i)*setting%area(i)/max(plant%leaf_area(i), tiny(1.0_rk)), 0.0_rk, &
                                      plant%leaf_area(i) > 0.0_rk .and. plant%water_stress(i) > 0.0_rk &
                                      .and. dry_fraction(i) > 0.0_rk)
         setting%wet(i) = wet_fraction(i)
         held = max(state%canopy_water(i), 0.0_rk) + max(state%canopy_snow(i), 0.0_rk)
         setting%water_limit(i) = held/(dt*weather%air_density(i))
         ! what evaporates is water and snow as they lie on the leaves; dew joins them alike
         setting%snow_share(i) = max(state%canopy_snow(i), 0.0_rk)/max(held, tiny(held))
         setting%latent_wet(i) = latent_vaporisation + setting%snow_share(i)*latent_fusion
         setting%ground_humidity(i) = ground%humidity(i) &
                                      + ground%snow_cover(i)*(ground%snow_humidity(i) - ground%humidity(i))
      end do
   end subroutine prepare

   !> Start of the iteration.
   pure subroutine first_iterate(options, weather, ground, state, setting, iterate)
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(canopy_state_type), intent(in) :: state
      type(setting_type), intent(in) :: setting
      type(iterate_type), intent(out) :: iterate
      real(rk) :: difference(w), warmth, moisture
      integer :: i
      do i = 1, w
         iterate%leaf_temperature(i) = min(max(state%leaf_temperature(i), weather%air_temperature(i) + coldest), &
                                           weather%air_temperature(i) + hottest)
         iterate%air_humidity(i) = 0.5_rk*(setting%ground_humidity(i) + weather%specific_humidity(i))
         warmth = 0.5_rk*(weather%potential_temperature(i) - ground%temperature(i))
         moisture = weather%specific_humidity(i) - iterate%air_humidity(i)
         difference(i) = warmth*(1.0_rk + 0.61_rk*weather%specific_humidity(i)) &
                         + 0.61_rk*weather%potential_temperature(i)*moisture
         iterate%sunlit_co2(i) = 0.0_rk
         iterate%shaded_co2(i) = 0.0_rk
         iterate%last_step(i) = 0.0_rk
         iterate%last_zeta(i) = 0.0_rk
         iterate%last_zeta_step(i) = 0.0_rk
         iterate%last_latent(i) = 0.0_rk
      end do
      call first_stability(weather%wind_speed, setting%height, setting%log_ratio, setting%virtual_air, difference, &
                           options%stability_limit, iterate%zeta, iterate%wind)
   end subroutine first_iterate

   !> Conductances of air, leaves, stomata and ground at the iterate.
   pure subroutine find_conductances(iteration, options, weather, plant, radiation, setting, iterate, pass)
      integer, intent(in) :: iteration !! number of the pass, from 1 [1]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(radiation_chunk_type), intent(in) :: radiation
      type(setting_type), intent(in) :: setting
      type(iterate_type), intent(in) :: iterate
      type(pass_type), intent(inout) :: pass
      real(rk) :: resistance_momentum(w), below, gap
      integer :: i
      call aerodynamic_resistance(iterate%wind, setting%height, setting%roughness, setting%roughness, &
                                  setting%log_ratio, setting%log_ratio, iterate%zeta, pass%ustar, &
                                  resistance_momentum, pass%resistance)
      call saturation_chunk(iterate%leaf_temperature, weather%air_pressure, pass%saturation_pressure, &
                            pass%saturation, pass%saturation_slope)
      do i = 1, w
         pass%boundary(i) = setting%root_leaf(i)*sqrt(pass%ustar(i))
         pass%to_air(i) = 1.0_rk/pass%resistance(i)
         ! below the canopy: C_s between that of bare ground and of a dense canopy, weighted with exp(-(L+S))
         gap = 1.0_rk - radiation%canopy_emissivity(i)
         below = setting%open_ground(i)*exp(bare_power*log(pass%ustar(i)))*gap + dense_transfer*(1.0_rk - gap)
         pass%to_ground(i) = below*pass%ustar(i)
         pass%air_humidity(i) = iterate%air_humidity(i)
         pass%to_leaf(i) = setting%area(i)*pass%boundary(i)
      end do
      call find_stomata(iteration, options, weather, plant, radiation, setting, iterate, pass)
   end subroutine find_conductances

   !> Stomata of the sunlit and shaded leaves, and the conductance of the dry leaves to vapour.
   pure subroutine find_stomata(iteration, options, weather, plant, radiation, setting, iterate, pass)
      integer, intent(in) :: iteration !! number of the pass, from 1 [1]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(radiation_chunk_type), intent(in) :: radiation
      type(setting_type), intent(in) :: setting
      type(iterate_type), intent(in) :: iterate
      type(pass_type), intent(inout) :: pass
      type(leaf_air_type) :: air
      type(kinetics_type) :: kinetics
      real(rk) :: vapour, sunlit, shaded
      integer :: i, nupdate
      do i = 1, w
         vapour = iterate%air_humidity(i)*weather%air_pressure(i) &
                  /(molar_ratio + (1.0_rk - molar_ratio)*iterate%air_humidity(i))
         air%pressure(i) = weather%air_pressure(i)
         air%co2(i) = weather%co2(i)*weather%air_pressure(i)
         air%boundary_conductance(i) = pass%boundary(i)/setting%molar_volume(i)
         air%deficit(i) = 1.0e-3_rk*(pass%saturation_pressure(i) - vapour)
         air%relative_humidity(i) = vapour/pass%saturation_pressure(i)
         air%is_c4(i) = plant%is_c4(i)
         air%slope(i) = plant%stomatal_slope(i)
         air%intercept(i) = plant%stomatal_intercept(i)
      end do
      call temperature_response(iterate%leaf_temperature, air%pressure, air%is_c4, plant%water_stress, &
                                setting%acclimation, kinetics)
      nupdate = 1
      if (iteration == 1) then
         nupdate = first_updates
         call internal_co2_guess(options%stomata, air, pass%sunlit%internal_co2)
         pass%shaded%internal_co2 = pass%sunlit%internal_co2
      else
         pass%sunlit%internal_co2 = iterate%sunlit_co2
         pass%shaded%internal_co2 = iterate%shaded_co2
      end if
      call update_leaf(options%stomata, nupdate, air, kinetics, plant%water_stress, setting%capacity_sunlit, &
                       radiation%sunlit_par, pass%sunlit)
      call update_leaf(options%stomata, nupdate, air, kinetics, plant%water_stress, setting%capacity_shaded, &
                       radiation%shaded_par, pass%shaded)
      do i = 1, w
         sunlit = pass%sunlit%conductance(i)*setting%molar_volume(i)
         shaded = pass%shaded%conductance(i)*setting%molar_volume(i)
         pass%canopy_stomata(i) = radiation%sunlit_leaf_area(i)*sunlit + radiation%shaded_leaf_area(i)*shaded
         pass%transpiring(i) = setting%dry_scale(i)*pass%boundary(i) &
                               *(radiation%sunlit_leaf_area(i)*sunlit/(pass%boundary(i) + sunlit) &
                                 + radiation%shaded_leaf_area(i)*shaded/(pass%boundary(i) + shaded))
      end do
   end subroutine find_stomata

   !> Energy balance of the leaves and its Newton step, conductances fixed (CLM Technical Note, 5.88-5.121).
   pure subroutine balance_leaf(weather, ground, radiation, setting, leaf_temperature, pass)
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(in) :: radiation
      type(setting_type), intent(in) :: setting
      real(rk), intent(in) :: leaf_temperature(w) !! [K]
      type(pass_type), intent(inout) :: pass
      real(rk) :: heat, cube, sources, others, dry, wet, limited_wet, fixed, total, slope, residual
      logical :: evaporates, is_limited
      integer :: i
      do i = 1, w
         heat = weather%air_density(i)*heat_capacity_air
         total = 1.0_rk/(pass%to_air(i) + pass%to_ground(i) + pass%to_leaf(i))
         pass%air_temperature(i) = (pass%to_air(i)*weather%potential_temperature(i) &
                                    + pass%to_ground(i)*ground%temperature(i) &
                                    + pass%to_leaf(i)*leaf_temperature(i))*total
         pass%sensible(i) = heat*pass%to_leaf(i)*(leaf_temperature(i) - pass%air_temperature(i))
         cube = leaf_temperature(i)**3
         pass%longwave(i) = setting%longwave_factor(i)*cube*leaf_temperature(i) + setting%longwave_constant(i)
         pass%warming(i) = pass%to_leaf(i)*total
         slope = 4.0_rk*setting%longwave_factor(i)*cube &
                 + heat*pass%to_leaf(i)*(pass%to_air(i) + pass%to_ground(i))*total

         ! vapour: the sign does not depend on the leaf's own conductance; dew covers all leaves and stems
         others = pass%to_air(i) + pass%to_soil(i) + pass%to_snow(i)
         sources = pass%to_air(i)*weather%specific_humidity(i) + pass%to_soil(i)*ground%humidity(i) &
                   + pass%to_snow(i)*ground%snow_humidity(i)
         evaporates = pass%saturation(i)*others > sources
         dry = merge(pass%transpiring(i), 0.0_rk, evaporates)
         wet = merge(setting%wet(i)*pass%to_leaf(i), pass%to_leaf(i), evaporates)
         ! evaporation of intercepted water: from its conductance, or all there is within the step
         total = 1.0_rk/(others + dry + wet)
         pass%wet_vapour(i) = wet*(pass%saturation(i)*others - sources)*total
         is_limited = pass%wet_vapour(i) > setting%water_limit(i)
         fixed = merge(setting%water_limit(i), 0.0_rk, is_limited)
         limited_wet = merge(0.0_rk, wet, is_limited)
         total = 1.0_rk/(others + dry + limited_wet)
         pass%air_humidity(i) = (sources + (dry + limited_wet)*pass%saturation(i) + fixed)*total
         pass%dry_vapour(i) = dry*(pass%saturation(i) - pass%air_humidity(i))
         pass%wet_vapour(i) = merge(fixed, wet*(pass%saturation(i) - pass%air_humidity(i)), is_limited)
         pass%vapour_from_leaf(i) = dry + limited_wet
         pass%moistening(i) = (dry + limited_wet)*total*pass%saturation_slope(i)
         slope = slope + weather%air_density(i)*(latent_vaporisation*dry + setting%latent_wet(i)*limited_wet) &
                 *others*total*pass%saturation_slope(i)

         residual = radiation%canopy_absorbed(i) - pass%longwave(i) - pass%sensible(i) &
                    - weather%air_density(i)*(latent_vaporisation*pass%dry_vapour(i) &
                                              + setting%latent_wet(i)*pass%wet_vapour(i))
         pass%step(i) = min(max(residual/slope, -largest_step), largest_step)
      end do
   end subroutine balance_leaf

   !> Leaf temperature at fixed conductances: Newton steps, the sum of which is the step of the pass.
   pure subroutine solve_leaf(weather, ground, radiation, setting, leaf_temperature, pass)
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(in) :: radiation
      type(setting_type), intent(in) :: setting
      real(rk), intent(in) :: leaf_temperature(w) !! of the iterate [K]
      type(pass_type), intent(inout) :: pass
      real(rk) :: temperature(w)
      integer :: i, newton
      temperature = leaf_temperature
      do newton = 1, newton_steps
         if (newton > 1) call saturation_chunk(temperature, weather%air_pressure, pass%saturation_pressure, &
                                               pass%saturation, pass%saturation_slope)
         do i = 1, w
            ! the soil resists evaporation, not dew
            pass%to_soil(i) = (1.0_rk - ground%snow_cover(i))*ground%evaporation_factor(i)*pass%to_ground(i) &
                              /(1.0_rk + pass%to_ground(i) &
                                *merge(ground%resistance(i), 0.0_rk, ground%humidity(i) > pass%air_humidity(i)))
            pass%to_snow(i) = ground%snow_cover(i)*pass%to_ground(i)
         end do
         call balance_leaf(weather, ground, radiation, setting, temperature, pass)
         do i = 1, w
            temperature(i) = min(max(temperature(i) + pass%step(i), weather%air_temperature(i) + coldest), &
                                 weather%air_temperature(i) + hottest)
         end do
      end do
      do i = 1, w
         ! air between the leaves, moved with the last step
         pass%air_humidity(i) = max(pass%air_humidity(i) + pass%moistening(i)*pass%step(i), 0.0_rk)
         pass%air_temperature(i) = pass%air_temperature(i) + pass%warming(i)*pass%step(i)
         pass%step(i) = temperature(i) - leaf_temperature(i)
      end do
   end subroutine solve_leaf

   !> Test convergence and move the lanes that are not there yet.
   pure subroutine next_iterate(iteration, options, weather, setting, pass, active, iterate)
      integer, intent(in) :: iteration !! number of the pass, from 1 [1]
      type(land_options_type), intent(in) :: options
      type(weather_chunk_type), intent(in) :: weather
      type(setting_type), intent(in) :: setting
      type(pass_type), intent(in) :: pass
      logical, intent(inout) :: active(w)
      type(iterate_type), intent(inout) :: iterate
      real(rk), parameter :: shortest = 0.05_rk, longest = 0.9_rk !! share taken of a step in stability [1]
      real(rk) :: zeta(w), wind(w), warmth(w), moisture(w), latent, bent, scale
      integer :: i
      do i = 1, w
         latent = latent_vaporisation*weather%air_density(i)*(pass%dry_vapour(i) + pass%wet_vapour(i))
         active(i) = active(i) .and. (iteration == 1 &
                                      .or. remaining(pass%step(i), iterate%last_step(i)) > tolerance_temperature &
                                      .or. abs(latent - iterate%last_latent(i)) > tolerance_latent &
                                      .or. abs(pass%sunlit%change(i)) > tolerance_co2 &
                                      .or. abs(pass%shaded%change(i)) > tolerance_co2)
         iterate%last_latent(i) = merge(latent, iterate%last_latent(i), active(i))
         warmth(i) = weather%potential_temperature(i) - pass%air_temperature(i)
         moisture(i) = weather%specific_humidity(i) - pass%air_humidity(i)
      end do
      call next_stability(weather%wind_speed, setting%height, pass%ustar, pass%resistance, &
                          weather%potential_temperature, setting%virtual_air, weather%specific_humidity, warmth, &
                          moisture, options%stability_limit, zeta, wind)
      do i = 1, w
         if (active(i) .and. iteration < iteration_limit) then
            iterate%last_step(i) = pass%step(i)
            iterate%leaf_temperature(i) = iterate%leaf_temperature(i) + pass%step(i)
            iterate%air_humidity(i) = pass%air_humidity(i)
            iterate%sunlit_co2(i) = pass%sunlit%internal_co2(i)
            iterate%shaded_co2(i) = pass%shaded%internal_co2(i)
            bent = zeta(i) - iterate%zeta(i)
            scale = secant(iterate%zeta(i) - iterate%last_zeta(i), iterate%last_zeta_step(i) - bent, &
                           shortest, longest)
            scale = merge(scale, 1.0_rk, iteration > 1)
            iterate%last_zeta(i) = iterate%zeta(i)
            iterate%last_zeta_step(i) = bent
            iterate%zeta(i) = iterate%zeta(i) + scale*bent
            iterate%wind(i) = iterate%wind(i) + scale*(wind(i) - iterate%wind(i))
         end if
      end do
   end subroutine next_iterate

   !> What a sequence of steps has still to go, if they shrink further as the last two did.
   elemental function remaining(step, last_step) result(distance)
      real(rk), intent(in) :: step      !! this step
      real(rk), intent(in) :: last_step !! step before it
      real(rk) :: distance              !! at least the step itself, at most ten times
      real(rk) :: ratio
      ratio = step*last_step/max(last_step*last_step, tiny(1.0_rk))
      distance = abs(step)/(1.0_rk - min(max(ratio, 0.0_rk), 0.9_rk))
   end function remaining

   !> Factor that turns a fixed-point step into a secant step: what was moved over how much the step changed.
   elemental function secant(moved, bent, shortest, longest) result(scale)
      real(rk), intent(in) :: moved    !! change of the argument since the last iterate
      real(rk), intent(in) :: bent     !! last step less this step
      real(rk), intent(in) :: shortest !! bound [1]
      real(rk), intent(in) :: longest  !! bound [1]
      real(rk) :: scale                !! `shortest` where the steps grow [1]
      logical :: is_usable
      is_usable = moved*bent > 0.0_rk
      scale = merge(moved, shortest, is_usable)/merge(bent, 1.0_rk, is_usable)
      scale = min(max(scale, shortest), longest)
   end function secant

   !> Fluxes at the final leaf temperature; what the last pass leaves of the energy goes to sensible heat.
   pure subroutine store_canopy(weather, ground, radiation, setting, iterate, pass, state, flux)
      type(weather_chunk_type), intent(in) :: weather
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(in) :: radiation
      type(setting_type), intent(in) :: setting
      type(iterate_type), intent(in) :: iterate
      type(pass_type), intent(inout) :: pass
      type(canopy_state_type), intent(inout) :: state
      type(flux_chunk_type), intent(inout) :: flux
      real(rk) :: leaf_temperature(w), heat, share, emitted, below, ev, eg, open, cover
      integer :: i
      leaf_temperature = min(max(iterate%leaf_temperature + pass%step, weather%air_temperature + coldest), &
                             weather%air_temperature + hottest)
      call saturation_chunk(leaf_temperature, weather%air_pressure, pass%saturation_pressure, pass%saturation, &
                            pass%saturation_slope)
      call balance_leaf(weather, ground, radiation, setting, leaf_temperature, pass)
      do i = 1, w
         if (.not. setting%is_canopy(i)) cycle
         state%leaf_temperature(i) = leaf_temperature(i)
         heat = weather%air_density(i)*heat_capacity_air*pass%to_ground(i)
         flux%transpiration(i) = weather%air_density(i)*pass%dry_vapour(i)
         flux%canopy_evaporation(i) = weather%air_density(i)*pass%wet_vapour(i)
         flux%longwave_canopy(i) = pass%longwave(i)
         flux%canopy_snow_share(i) = setting%snow_share(i)
         flux%sensible_canopy(i) = radiation%canopy_absorbed(i) - pass%longwave(i) &
                                   - latent_vaporisation*flux%transpiration(i) &
                                   - setting%latent_wet(i)*flux%canopy_evaporation(i)
         cover = ground%snow_cover(i)
         open = 1.0_rk - cover
         ! the air between the leaves follows each surface by its share; what one does to the other waits a step
         share = pass%to_ground(i)/(pass%to_air(i) + pass%to_leaf(i) + pass%to_ground(i))
         flux%sensible_ground(i) = open*heat*(ground%soil_temperature(i) - pass%air_temperature(i))
         flux%sensible_ground_slope(i) = open*heat*(1.0_rk - open*share)
         flux%sensible_snow(i) = cover*heat*(ground%snow_temperature(i) - pass%air_temperature(i))
         flux%sensible_snow_slope(i) = cover*heat*(1.0_rk - cover*share)
         share = 1.0_rk/(pass%to_air(i) + pass%vapour_from_leaf(i) + pass%to_soil(i) + pass%to_snow(i))
         flux%ground_evaporation(i) = weather%air_density(i)*pass%to_soil(i) &
                                      *(ground%humidity(i) - pass%air_humidity(i))
         flux%ground_evaporation_slope(i) = weather%air_density(i)*pass%to_soil(i)*(1.0_rk - pass%to_soil(i)*share) &
                                            *ground%humidity_slope(i)
         flux%sublimation(i) = weather%air_density(i)*pass%to_snow(i)*(ground%snow_humidity(i) - pass%air_humidity(i))
         flux%sublimation_slope(i) = weather%air_density(i)*pass%to_snow(i)*(1.0_rk - pass%to_snow(i)*share) &
                                     *ground%snow_humidity_slope(i)
         ev = radiation%canopy_emissivity(i)
         eg = ground%emissivity(i)
         below = (1.0_rk - ev)*weather%longwave_down(i) + ev*stefan_boltzmann*leaf_temperature(i)**4
         emitted = eg*stefan_boltzmann*ground%soil_temperature(i)**3
         flux%longwave_ground(i) = open*(emitted*ground%soil_temperature(i) - eg*below)
         flux%longwave_ground_slope(i) = 4.0_rk*open*emitted
         emitted = eg*stefan_boltzmann*ground%snow_temperature(i)**3
         flux%longwave_snow(i) = cover*(emitted*ground%snow_temperature(i) - eg*below)
         flux%longwave_snow_slope(i) = 4.0_rk*cover*emitted
         flux%longwave_up(i) = weather%longwave_down(i) + flux%longwave_canopy(i) + flux%longwave_ground(i) &
                               + flux%longwave_snow(i)
         flux%friction_velocity(i) = pass%ustar(i)
         flux%gross_photosynthesis(i) = radiation%sunlit_leaf_area(i)*pass%sunlit%gross(i) &
                                        + radiation%shaded_leaf_area(i)*pass%shaded%gross(i)
         flux%leaf_respiration(i) = radiation%sunlit_leaf_area(i)*pass%sunlit%respiration(i) &
                                    + radiation%shaded_leaf_area(i)*pass%shaded%respiration(i)
         flux%canopy_conductance(i) = pass%canopy_stomata(i)
      end do
   end subroutine store_canopy

end module pl_canopy_fluxes
