!> Leaf photosynthesis and stomatal conductance, coupled through the internal CO2 pressure.
!>
!> C3: Farquhar, von Caemmerer and Berry (1980), Planta 149, 78-90; C4: Collatz, Ribas-Carbo and Berry (1992),
!> Aust. J. Plant Physiol. 19, 519-538; temperature responses and acclimation: Kattge and Knorr (2007), Plant
!> Cell Environ. 30, 1176-1190; conductance: Medlyn et al. (2011), Glob. Change Biol. 17, 2134-2144, or
!> Collatz et al. (1991), Agric. For. Meteorol. 54, 107-136; put together as in the CLM Technical Note, chapter 9,
!> with the canopy profile of capacity of Oleson et al. (2013), NCAR/TN-503+STR, chapter 8.
!>
!> Both pathways share one form: A_c = V (c - G)/(c + K), A_j = J (c - G)/(c + 2 G), A_p = p0 + p1 c, where
!> C4 has G = K = 0. The internal pressure c solves c = c_a - A_n P (1.4/g_b + 1.6/g_s), whose residual
!> rises with c: a Newton step with an approximate slope, kept inside a bracket.
module pl_photosynthesis
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, gas_constant, oxygen_mole_fraction
   use pl_kinds, only: rk
   use pl_land_chunk, only: stomata_medlyn
   implicit none (type, external)
   private
   public :: acclimate, acclimation_type, canopy_capacity, internal_co2_guess, kinetics_type, leaf_air_type
   public :: leaf_photosynthesis, leaf_rate_type, temperature_response, update_leaf

   real(rk), parameter :: micro = 1.0e-6_rk
   real(rk), parameter :: reference_temperature = 298.15_rk !! of the capacities [K]
   real(rk), parameter :: nitrogen_extinction = 0.30_rk     !! K_n, of capacity through the canopy [1]
   ! at 25 degrees C, mol mol-1
   real(rk), parameter :: michaelis_co2 = 404.9e-6_rk, michaelis_oxygen = 278.4e-3_rk, compensation_25 = 42.75e-6_rk
   real(rk), parameter :: product_share = 0.167_rk          !! triose phosphate utilisation over V [1]
   real(rk), parameter :: respiration_c3 = 0.015_rk, respiration_c4 = 0.025_rk !! over V [1]
   real(rk), parameter :: product_slope_c4 = 20000.0_rk     !! k_p over V [1]
   ! activation and deactivation energies [J mol-1], entropy [J mol-1 K-1]
   real(rk), parameter :: activation_carboxylation = 72000.0_rk, activation_transport = 50000.0_rk
   real(rk), parameter :: activation_respiration = 46390.0_rk, activation_co2 = 79430.0_rk
   real(rk), parameter :: activation_oxygen = 36380.0_rk, activation_compensation = 37830.0_rk
   real(rk), parameter :: deactivation = 200000.0_rk, deactivation_respiration = 150650.0_rk
   real(rk), parameter :: entropy_respiration = 490.0_rk
   real(rk), parameter :: coldest_growth = 11.0_rk, warmest_growth = 35.0_rk !! range of acclimation [degC]
   ! light
   real(rk), parameter :: photons_per_joule = 4.6_rk        !! of absorbed visible light [umol J-1]
   real(rk), parameter :: light_share_c3 = 0.5_rk*0.85_rk   !! to photosystem II [1]
   real(rk), parameter :: quantum_yield_c4 = 0.05_rk        !! [mol mol-1]
   real(rk), parameter :: curvature_light = 0.70_rk         !! of electron transport [1]
   real(rk), parameter :: curvature_c3 = 0.98_rk, curvature_c4 = 0.80_rk !! of A_c and A_j [1]
   real(rk), parameter :: curvature_product = 0.95_rk       !! with A_p [1]
   ! conductance
   real(rk), parameter :: diffusion_boundary = 1.4_rk, diffusion_stomata = 1.6_rk !! vapour over CO2 [1]
   real(rk), parameter :: lowest_conductance = 1.0_rk       !! of a leaf [umol m-2 s-1]
   real(rk), parameter :: lowest_deficit = 0.05_rk          !! that stomata respond to [kPa]
   real(rk), parameter :: lowest_surface_co2 = 0.01_rk      !! of leaf surface over air, met by trial values only [1]
   real(rk), parameter :: lowest_internal_co2 = 0.01_rk     !! bracket's lower end [Pa]
   integer, parameter :: single_leaf_iterations = 40

   !> Parts of the temperature responses that growth temperature fixes.
   type :: acclimation_type
      real(rk) :: entropy_carboxylation(w) !! [J mol-1 K-1]
      real(rk) :: entropy_transport(w)     !! [J mol-1 K-1]
      real(rk) :: scale_carboxylation(w)   !! 1 + exp() at 25 degrees C [1]
      real(rk) :: scale_transport(w)       !! 1 + exp() at 25 degrees C, times J_max25/V_25 [1]
   end type acclimation_type

   !> Kinetics of a leaf at its temperature; capacities are per V_25.
   type :: kinetics_type
      real(rk) :: carboxylation(w)    !! V with water stress [1]
      real(rk) :: transport(w)        !! J_max (C3) [1]
      real(rk) :: respiration(w)      !! R_d with water stress [1]
      real(rk) :: compensation(w)     !! G [Pa]
      real(rk) :: michaelis(w)        !! K [Pa]
      real(rk) :: product_constant(w) !! p0 [1]
      real(rk) :: product_slope(w)    !! p1 [Pa-1]
   end type kinetics_type

   !> The air around the leaves.
   type :: leaf_air_type
      real(rk) :: pressure(w)             !! air pressure [Pa]
      real(rk) :: co2(w)                  !! partial pressure [Pa]
      real(rk) :: boundary_conductance(w) !! of the leaf boundary layer to vapour [umol m-2 s-1]
      real(rk) :: deficit(w)              !! vapour pressure deficit, leaf to air [kPa]
      real(rk) :: relative_humidity(w)    !! air vapour pressure over saturation at the leaf [1]
      real(rk) :: is_c4(w)                !! 1 for C4, 0 for C3
      real(rk) :: slope(w)                !! Medlyn g1 [kPa^0.5] or Ball-Berry m [1]
      real(rk) :: intercept(w)            !! smallest conductance [umol m-2 s-1]
   end type leaf_air_type

   !> What a leaf class does.
   type :: leaf_rate_type
      real(rk) :: gross(w)        !! assimilation [umol m-2 s-1]
      real(rk) :: respiration(w)  !! [umol m-2 s-1]
      real(rk) :: conductance(w)  !! of the stomata to vapour [umol m-2 s-1]
      real(rk) :: internal_co2(w) !! carried from iterate to iterate [Pa]
      real(rk) :: change(w)       !! of internal_co2 in the last update [Pa]
   end type leaf_rate_type

contains

   !> Acclimation to the growth temperature (Kattge and Knorr 2007, equations 4 and 9, table 3).
   pure subroutine acclimate(growth_temperature, acclimation)
      real(rk), intent(in) :: growth_temperature(w) !! 10-day mean air temperature [K]
      type(acclimation_type), intent(out) :: acclimation
      real(rk), parameter :: scale = reference_temperature*gas_constant
      real(rk) :: t
      integer :: i
      do i = 1, w
         t = min(max(growth_temperature(i) - freezing_point, coldest_growth), warmest_growth)
         acclimation%entropy_carboxylation(i) = 668.39_rk - 1.07_rk*t
         acclimation%entropy_transport(i) = 659.70_rk - 0.75_rk*t
         acclimation%scale_carboxylation(i) = 1.0_rk &
            + exp((reference_temperature*acclimation%entropy_carboxylation(i) - deactivation)/scale)
         acclimation%scale_transport(i) = (2.59_rk - 0.035_rk*t) &
             *(1.0_rk + exp((reference_temperature*acclimation%entropy_transport(i) - deactivation)/scale))
      end do
   end subroutine acclimate

   !> Share of V_25 at the top that the mean sunlit and shaded leaf has (K_n profile; NCAR/TN-503+STR, section 8.3).
   pure subroutine canopy_capacity(leaf_area, extinction, sunlit_area, shaded_area, sunlit, shaded)
      real(rk), intent(in) :: leaf_area(w)   !! [m2 m-2]
      real(rk), intent(in) :: extinction(w)  !! of the direct beam [1]
      real(rk), intent(in) :: sunlit_area(w) !! [m2 m-2]
      real(rk), intent(in) :: shaded_area(w) !! [m2 m-2]
      real(rk), intent(out) :: sunlit(w)     !! [1]
      real(rk), intent(out) :: shaded(w)     !! [1]
      real(rk), parameter :: smallest_area = 1.0e-6_rk !! a class with less leaf takes the value of the top [m2 m-2]
      real(rk) :: beam, total, lit
      integer :: i
      do i = 1, w
         beam = nitrogen_extinction + max(extinction(i), 0.0_rk)
         lit = (1.0_rk - exp(-min(beam*leaf_area(i), 40.0_rk)))/beam
         lit = merge(lit, 0.0_rk, sunlit_area(i) > smallest_area)
         total = (1.0_rk - exp(-nitrogen_extinction*leaf_area(i)))/nitrogen_extinction
         sunlit(i) = merge(min(lit/max(sunlit_area(i), smallest_area), 1.0_rk), 1.0_rk, &
               sunlit_area(i) > smallest_area)
         shaded(i) = merge(min(max(total - lit, 0.0_rk)/max(shaded_area(i), smallest_area), 1.0_rk), 1.0_rk, &
                           shaded_area(i) > smallest_area)
      end do
   end subroutine canopy_capacity

   !> Kinetics at the leaf temperature.
   pure subroutine temperature_response(temperature, pressure, is_c4, stress, acclimation, kinetics)
      real(rk), intent(in) :: temperature(w) !! of the leaf [K]
      real(rk), intent(in) :: pressure(w)    !! of the air [Pa]
      real(rk), intent(in) :: is_c4(w)       !! 1 for C4, 0 for C3
      real(rk), intent(in) :: stress(w)      !! water stress factor [1]
      type(acclimation_type), intent(in) :: acclimation
      type(kinetics_type), intent(out) :: kinetics
      if (any(is_c4 < 0.5_rk)) then
         call response_c3(temperature, pressure, stress, acclimation, kinetics)
         if (any(is_c4 > 0.5_rk)) call response_c4(temperature, pressure, is_c4, stress, kinetics)
      else
         call response_c4(temperature, pressure, is_c4, stress, kinetics)
      end if
   end subroutine temperature_response

   !> C3: Arrhenius functions with high-temperature inhibition (CLM Technical Note, equations 9.13-9.17).
   pure subroutine response_c3(temperature, pressure, stress, acclimation, kinetics)
      real(rk), intent(in) :: temperature(w) !! [K]
      real(rk), intent(in) :: pressure(w)    !! [Pa]
      real(rk), intent(in) :: stress(w)      !! [1]
      type(acclimation_type), intent(in) :: acclimation
      type(kinetics_type), intent(out) :: kinetics
      real(rk), parameter :: scale = reference_temperature*gas_constant
      real(rk), parameter :: scale_respiration = 1.0_rk + exp((reference_temperature*entropy_respiration &
                                                               - deactivation_respiration)/scale)
      real(rk) :: warmth, heat, value, oxygen
      integer :: i
      do i = 1, w
         heat = 1.0_rk/(gas_constant*temperature(i))
         warmth = 1.0_rk/scale - heat ! (1 - T25/T)/(R T25)
         value = exp(activation_carboxylation*warmth)*acclimation%scale_carboxylation(i) &
                 /(1.0_rk + exp((acclimation%entropy_carboxylation(i)*temperature(i) - deactivation)*heat))
         kinetics%carboxylation(i) = value*stress(i)
         kinetics%product_constant(i) = 3.0_rk*product_share*value
         kinetics%product_slope(i) = 0.0_rk
         kinetics%transport(i) = exp(activation_transport*warmth)*acclimation%scale_transport(i) &
            /(1.0_rk + exp((acclimation%entropy_transport(i)*temperature(i) - deactivation)*heat))
         kinetics%respiration(i) = respiration_c3*scale_respiration*stress(i)*exp(activation_respiration*warmth) &
            /(1.0_rk + exp((entropy_respiration*temperature(i) - deactivation_respiration)*heat))
         oxygen = exp(-activation_oxygen*warmth)*(oxygen_mole_fraction/michaelis_oxygen)
         kinetics%michaelis(i) = michaelis_co2*pressure(i)*exp(activation_co2*warmth)*(1.0_rk + oxygen)
         kinetics%compensation(i) = compensation_25*pressure(i)*exp(activation_compensation*warmth)
      end do
   end subroutine response_c3

   !> C4: Q10 = 2 with inhibition at both ends (CLM Technical Note, equation 9.18); other lanes stay as they are.
   pure subroutine response_c4(temperature, pressure, is_c4, stress, kinetics)
      real(rk), intent(in) :: temperature(w) !! [K]
      real(rk), intent(in) :: pressure(w)    !! [Pa]
      real(rk), intent(in) :: is_c4(w)       !! 1 for C4, 0 for C3
      real(rk), intent(in) :: stress(w)      !! [1]
      type(kinetics_type), intent(inout) :: kinetics
      real(rk), parameter :: doubling = log(2.0_rk)/10.0_rk !! of the rates per 10 K [K-1]
      real(rk) :: q10, inhibition
      integer :: i
      do i = 1, w
         q10 = exp(doubling*(temperature(i) - reference_temperature))
         inhibition = (1.0_rk + exp(0.3_rk*(temperature(i) - 313.15_rk))) &
                      *(1.0_rk + exp(0.2_rk*(288.15_rk - temperature(i))))
         if (is_c4(i) < 0.5_rk) cycle
         kinetics%carboxylation(i) = stress(i)*q10/inhibition
         kinetics%respiration(i) = respiration_c4*stress(i)*q10/(1.0_rk + exp(1.3_rk*(temperature(i) - 328.15_rk)))
         kinetics%transport(i) = 0.0_rk
         kinetics%product_constant(i) = 0.0_rk
         kinetics%product_slope(i) = product_slope_c4*q10/pressure(i)
         kinetics%michaelis(i) = 0.0_rk
         kinetics%compensation(i) = 0.0_rk
      end do
   end subroutine response_c4

   !> Internal CO2 pressure that the stomatal scheme keeps far from its limits: a start for the iteration.
   pure subroutine internal_co2_guess(stomata, air, internal_co2)
      integer, intent(in) :: stomata            !! stomatal conductance scheme
      type(leaf_air_type), intent(in) :: air
      real(rk), intent(out) :: internal_co2(w)  !! [Pa]
      real(rk) :: gain
      integer :: i
      do i = 1, w
         if (stomata == stomata_medlyn) then
            gain = diffusion_stomata*(1.0_rk + air%slope(i)/sqrt(max(air%deficit(i), lowest_deficit)))
         else
            gain = air%slope(i)*max(air%relative_humidity(i), 0.05_rk)
         end if
         internal_co2(i) = air%co2(i)*max(1.0_rk - diffusion_stomata/max(gain, diffusion_stomata), 0.3_rk)
      end do
   end subroutine internal_co2_guess

   !> Rates at the carried internal CO2 pressure, and `nupdate` safeguarded Newton steps of it.
   !>
   !> Without positive assimilation at the pressure of the air, internal pressure is that of the air and
   !> conductance the intercept. The rates belong to the last value before the last step.
   pure subroutine update_leaf(stomata, nupdate, air, kinetics, stress, capacity, light, leaf)
      integer, intent(in) :: stomata         !! stomatal conductance scheme
      integer, intent(in) :: nupdate         !! steps [1]
      type(leaf_air_type), intent(in) :: air
      type(kinetics_type), intent(in) :: kinetics
      real(rk), intent(in) :: stress(w)      !! water stress factor [1]
      real(rk), intent(in) :: capacity(w)    !! V_25 of this class [umol m-2 s-1]
      real(rk), intent(in) :: light(w)       !! absorbed visible light [W m-2 leaf]
      type(leaf_rate_type), intent(inout) :: leaf
      real(rk), dimension(w) :: carboxylation, transport, product, product_slope, curvature, intercept
      real(rk), dimension(w) :: below, above, slope
      real(rk) :: absorbed, electrons, jmax, total, residual, next, net
      integer :: i, update

      do i = 1, w
         leaf%respiration(i) = kinetics%respiration(i)*capacity(i)
         carboxylation(i) = kinetics%carboxylation(i)*capacity(i)
         product(i) = kinetics%product_constant(i)*capacity(i)
         product_slope(i) = kinetics%product_slope(i)*capacity(i)
         jmax = kinetics%transport(i)*capacity(i)
         absorbed = photons_per_joule*max(light(i), 0.0_rk)
         total = light_share_c3*absorbed + jmax
         electrons = total*total - 4.0_rk*curvature_light*light_share_c3*absorbed*jmax
         electrons = (total - sqrt(max(electrons, 0.0_rk)))/(2.0_rk*curvature_light)
         transport(i) = merge(quantum_yield_c4*absorbed, 0.25_rk*electrons, air%is_c4(i) > 0.5_rk)
         curvature(i) = merge(curvature_c4, curvature_c3, air%is_c4(i) > 0.5_rk)
         intercept(i) = max(air%intercept(i)*merge(1.0_rk, stress(i), stomata == stomata_medlyn), lowest_conductance)
         below(i) = min(max(kinetics%compensation(i), lowest_internal_co2), air%co2(i))
         above(i) = 2.0_rk*air%co2(i) ! not tested yet
         leaf%internal_co2(i) = min(max(leaf%internal_co2(i), below(i)), air%co2(i))
      end do
      do update = 1, nupdate
         call gross_assimilation(carboxylation, transport, product, product_slope, curvature, kinetics, &
                                 leaf%internal_co2, leaf%gross, slope)
         call conductance(stomata, air, intercept, leaf%gross, leaf%respiration, leaf%conductance)
         do i = 1, w
            net = leaf%gross(i) - leaf%respiration(i)
            residual = leaf%internal_co2(i) - air%co2(i) + net*air%pressure(i) &
                       *(diffusion_boundary/air%boundary_conductance(i) + diffusion_stomata/leaf%conductance(i))
            slope(i) = residual_slope(air%pressure(i), air%co2(i), air%boundary_conductance(i), intercept(i), &
                                      leaf%conductance(i), max(net, 0.0_rk), slope(i))
            below(i) = merge(leaf%internal_co2(i), below(i), residual < 0.0_rk)
            above(i) = merge(leaf%internal_co2(i), above(i), residual > 0.0_rk)
            next = leaf%internal_co2(i) - residual/slope(i)
            ! a step out of the bracket goes to its middle; the pressure of the air is an iterate of its own
            next = merge(0.5_rk*(below(i) + min(above(i), air%co2(i))), next, &
                         next < below(i) .or. (next > above(i) .and. above(i) <= air%co2(i)))
            next = min(next, air%co2(i))
            leaf%change(i) = next - leaf%internal_co2(i)
            leaf%internal_co2(i) = next
         end do
      end do
   end subroutine update_leaf

   !> Slope of the residual to c_i, with dg/dA from the secant of g - g0 over A (exact but for leaf surface humidity).
   elemental function residual_slope(pressure, co2, boundary, intercept, stomatal, net, &
                                     assimilation_slope) result(slope)
      real(rk), intent(in) :: pressure           !! [Pa]
      real(rk), intent(in) :: co2                !! of the air [Pa]
      real(rk), intent(in) :: boundary           !! conductance [umol m-2 s-1]
      real(rk), intent(in) :: intercept          !! smallest conductance [umol m-2 s-1]
      real(rk), intent(in) :: stomatal           !! conductance [umol m-2 s-1]
      real(rk), intent(in) :: net                !! assimilation, not negative [umol m-2 s-1]
      real(rk), intent(in) :: assimilation_slope !! dA/dc_i [umol m-2 s-1 Pa-1]
      real(rk) :: slope                          !! at least 1/2 [1]
      real(rk) :: drawdown, share
      drawdown = diffusion_boundary*net*pressure/boundary
      share = intercept/stomatal
      share = share - (1.0_rk - share)*drawdown/max(co2 - drawdown, 0.1_rk*co2)
      slope = 1.0_rk + assimilation_slope*pressure*(diffusion_boundary/boundary + diffusion_stomata/stomatal*share)
      slope = max(slope, 0.5_rk)
   end function residual_slope

   !> Co-limited gross assimilation and its slope to the internal CO2 pressure (CLM Technical Note, equations
   !> 9.3-9.8).
   pure subroutine gross_assimilation(carboxylation, transport, product, product_slope, curvature, kinetics, &
                                      internal_co2, gross, slope)
      real(rk), intent(in) :: carboxylation(w) !! V [umol m-2 s-1]
      real(rk), intent(in) :: transport(w)     !! J/4 (C3) or light-limited rate (C4) [umol m-2 s-1]
      real(rk), intent(in) :: product(w)       !! p0 [umol m-2 s-1]
      real(rk), intent(in) :: product_slope(w) !! p1 [umol m-2 s-1 Pa-1]
      real(rk), intent(in) :: curvature(w)     !! of A_c and A_j [1]
      type(kinetics_type), intent(in) :: kinetics
      real(rk), intent(in) :: internal_co2(w)  !! [Pa]
      real(rk), intent(out) :: gross(w)        !! [umol m-2 s-1]
      real(rk), intent(out) :: slope(w)        !! [umol m-2 s-1 Pa-1]
      real(rk) :: above, ac, aj, ai, ap, dac, daj, dai, root, scale_c, scale_j, compensation
      integer :: i
      do i = 1, w
         compensation = kinetics%compensation(i)
         above = max(internal_co2(i) - compensation, 0.0_rk)
         scale_c = 1.0_rk/(internal_co2(i) + kinetics%michaelis(i))
         scale_j = 1.0_rk/(internal_co2(i) + 2.0_rk*compensation)
         ac = carboxylation(i)*above*scale_c
         aj = transport(i)*above*scale_j
         dac = carboxylation(i)*(kinetics%michaelis(i) + compensation)*scale_c*scale_c
         daj = transport(i)*3.0_rk*compensation*scale_j*scale_j
         ! tiny() only keeps 0/0 away where both rates are zero
         root = sqrt(max((ac - aj)**2 + 4.0_rk*(1.0_rk - curvature(i))*ac*aj, tiny(1.0_rk)))
         ai = max(ac + aj - root, 0.0_rk)/(2.0_rk*curvature(i))
         dai = ((aj - ai)*dac + (ac - ai)*daj)/root
         ap = product(i) + product_slope(i)*internal_co2(i)
         root = sqrt(max((ai - ap)**2 + 4.0_rk*(1.0_rk - curvature_product)*ai*ap, tiny(1.0_rk)))
         gross(i) = max(ai + ap - root, 0.0_rk)/(2.0_rk*curvature_product)
         slope(i) = max(((ap - gross(i))*dai + (ai - gross(i))*product_slope(i))/root, 0.0_rk)
      end do
   end subroutine gross_assimilation

   !> Stomatal conductance to vapour (CLM Technical Note, equations 9.1, 9.29-9.36).
   pure subroutine conductance(stomata, air, intercept, gross, respiration, stomatal)
      integer, intent(in) :: stomata         !! scheme
      type(leaf_air_type), intent(in) :: air
      real(rk), intent(in) :: intercept(w)   !! smallest conductance [umol m-2 s-1]
      real(rk), intent(in) :: gross(w)       !! assimilation [umol m-2 s-1]
      real(rk), intent(in) :: respiration(w) !! [umol m-2 s-1]
      real(rk), intent(out) :: stomatal(w)   !! [umol m-2 s-1]
      real(rk) :: net, surface, demand, deficit, humid, a, b, c
      integer :: i
      if (stomata == stomata_medlyn) then
         do i = 1, w
            net = max(gross(i) - respiration(i), 0.0_rk)
            surface = max(air%co2(i) - diffusion_boundary*net*air%pressure(i)/air%boundary_conductance(i), &
                          lowest_surface_co2*air%co2(i))
            deficit = max(air%deficit(i), lowest_deficit)
            demand = diffusion_stomata*net*air%pressure(i)/surface
            humid = air%slope(i)*demand
            b = 2.0_rk*(intercept(i) + demand) + humid*humid/(air%boundary_conductance(i)*deficit)
            c = (intercept(i) + demand)**2 - humid*humid/deficit
            stomatal(i) = max(0.5_rk*(b + sqrt(max(b*b - 4.0_rk*c, 0.0_rk))), intercept(i))
         end do
      else
         do i = 1, w
            net = max(gross(i) - respiration(i), 0.0_rk)
            surface = max(air%co2(i) - diffusion_boundary*net*air%pressure(i)/air%boundary_conductance(i), &
                          lowest_surface_co2*air%co2(i))
            demand = air%slope(i)*net*air%pressure(i)/surface
            a = air%boundary_conductance(i)
            b = a - intercept(i) - demand
            c = a*(intercept(i) + demand*min(max(air%relative_humidity(i), 0.05_rk), 1.0_rk))
            stomatal(i) = max(0.5_rk*(sqrt(b*b + 4.0_rk*c) - b), intercept(i))
         end do
      end if
   end subroutine conductance

   !> One leaf class at a known temperature, iterated until its internal CO2 pressure rests.
   pure subroutine leaf_photosynthesis(stomata, air, temperature, air_temperature, stress, acclimation, capacity, &
                                       light, leaf, resistance, converged)
      integer, intent(in) :: stomata          !! stomatal conductance scheme
      type(leaf_air_type), intent(in) :: air
      real(rk), intent(in) :: temperature(w)  !! of the leaf [K]
      real(rk), intent(in) :: air_temperature(w) !! potential temperature of the air, sets the molar volume [K]
      real(rk), intent(in) :: stress(w)       !! water stress factor [1]
      type(acclimation_type), intent(in) :: acclimation
      real(rk), intent(in) :: capacity(w)     !! V_25 [umol m-2 s-1]
      real(rk), intent(in) :: light(w)        !! absorbed visible light [W m-2 leaf]
      type(leaf_rate_type), intent(out) :: leaf
      real(rk), intent(out) :: resistance(w)  !! of the stomata to vapour [s m-1]
      logical, intent(out) :: converged(w)    !! internal pressure moved less than 1e-6 Pa
      type(kinetics_type) :: kinetics
      real(rk), parameter :: tolerance = 1.0e-6_rk !! of the internal pressure [Pa]
      call temperature_response(temperature, air%pressure, air%is_c4, stress, acclimation, kinetics)
      call internal_co2_guess(stomata, air, leaf%internal_co2)
      call update_leaf(stomata, single_leaf_iterations, air, kinetics, stress, capacity, light, leaf)
      converged = abs(leaf%change) < tolerance
      resistance = air%pressure/(micro*leaf%conductance*gas_constant*air_temperature)
   end subroutine leaf_photosynthesis

end module pl_photosynthesis
