!> Settling of snow: melt, destructive metamorphism, weight, wind.
module pl_snow_compaction
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_ice, density_water, freezing_point, gravity
   use pl_kinds, only: rk
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   use pl_snow_cover, only: least_cover
   use pl_snow_options, only: overburden_anderson, overburden_vionnet, snow_options_type
   implicit none (type, external)
   private
   public :: compact_snow, settle_melt

contains

   !> Let layers shrink with the ice that melted: the density of what is left stays.
   !>
   !> The rate of melt of Anderson (1976), CLM5 Technical Note, chapter 8, integrated over the step. Comes right after
   !> the phase change, before vapour and snowfall change the ice.
   pure subroutine settle_melt(ice_before, snow)
      real(rk), intent(in) :: ice_before(w, most_snow_layers) !! ice before the phase change [kg m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk) :: left
      integer :: i, k
      do k = 1, snow%nsnow
         do i = 1, w
            left = snow%ice(i, k)/merge(ice_before(i, k), 1.0_rk, ice_before(i, k) > snow%ice(i, k))
            snow%thickness(i, k) = snow%thickness(i, k)*merge(left, 1.0_rk, ice_before(i, k) > snow%ice(i, k))
         end do
      end do
   end subroutine settle_melt

   !> Let all layers settle for one time step.
   !>
   !> Rates act as exp(-rate dt), so that any time step leaves a positive thickness; drift, a relaxation of density,
   !> is integrated exactly. Ice never gets denser than ice, and settling presses no water out of the pores.
   !> The load is the weight over the snow-covered ground.
   pure subroutine compact_snow(options, dt, wind_speed, snow)
      type(snow_options_type), intent(in) :: options
      real(rk), intent(in) :: dt            !! time step [s]
      real(rk), intent(in) :: wind_speed(w) !! some 10 m above ground [m s-1]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), dimension(w) :: area, load, density, liquid_density, rate, sheltered, packing
      real(rk) :: settled, floor
      integer :: i, k
      logical :: present
      if (all(snow%top > snow%nsnow)) return
      load = 0.0_rk
      sheltered = 0.0_rk
      packing = 1.0_rk
      area = max(snow%cover, least_cover)
      do k = 1, snow%nsnow
         do i = 1, w
            present = snow%thickness(i, k) > 0.0_rk .and. snow%ice(i, k) > 0.0_rk
            ! lanes without the layer compute with light snow and keep their zero thickness
            density(i) = snow%ice(i, k)/merge(area(i)*snow%thickness(i, k), 1.0_rk, present)
            liquid_density(i) = snow%liquid(i, k)/merge(area(i)*snow%thickness(i, k), 1.0_rk, present)
            density(i) = min(max(density(i), 1.0_rk), density_ice)
            load(i) = load(i) + 0.5_rk*(snow%ice(i, k) + snow%liquid(i, k))/area(i)
         end do
         call metamorphism_rate(options, snow%temperature(:, k), density, liquid_density, rate)
         call add_overburden_rate(options, snow%temperature(:, k), density, liquid_density, load, rate)
         if (options%wind_drift) call drift_packing(dt, wind_speed, density, snow%thickness(:, k), sheltered, packing)
         do i = 1, w
            settled = snow%thickness(i, k)*exp(-dt*rate(i))*packing(i)
            floor = (snow%ice(i, k)/density_ice + snow%liquid(i, k)/density_water)/area(i)
            snow%thickness(i, k) = min(max(settled, floor), snow%thickness(i, k))
            load(i) = load(i) + 0.5_rk*(snow%ice(i, k) + snow%liquid(i, k))/area(i)
         end do
      end do
   end subroutine compact_snow

   !> Rate of destructive metamorphism: 2.777e-6 c1 c2 exp(-0.04 (T_f - T)), c1 = exp(-0.046 (rho - limit)) above the
   !> limit, c2 = 2 in wet snow.
   !>
   !> Anderson (1976); CLM5 Technical Note, chapter 8. The limit is 175 kg m-3 in CLM5 (van Kampenhout et al.
   !> 2017), with overburden by Anderson the 100 kg m-3 of CLM4.5.
   pure subroutine metamorphism_rate(options, temperature, density, liquid_density, rate)
      type(snow_options_type), intent(in) :: options
      real(rk), intent(in) :: temperature(w)    !! [K]
      real(rk), intent(in) :: density(w)        !! of ice [kg m-3]
      real(rk), intent(in) :: liquid_density(w) !! mass of liquid per volume of snow [kg m-3]
      real(rk), intent(out) :: rate(w)          !! shrinking share of thickness [s-1]
      real(rk), parameter :: wet = 0.01_rk      ! liquid that makes wet snow [kg m-3]
      real(rk) :: limit
      integer :: i
      limit = merge(100.0_rk, 175.0_rk, options%overburden == overburden_anderson)
      do i = 1, w
         rate(i) = 2.777e-6_rk*exp(-0.04_rk*(freezing_point - temperature(i)) &
                                   - 0.046_rk*max(density(i) - limit, 0.0_rk)) &
            *merge(2.0_rk, 1.0_rk, liquid_density(i) > wet)
      end do
   end subroutine metamorphism_rate

   !> Add the rate of settling under weight, load over viscosity.
   !>
   !> Anderson (1976): 9e5 exp(0.08 (T_f - T) + 0.023 rho) [kg s m-2], load as mass.
   !> Vionnet et al. (2012), Geosci. Model Dev. 5, 773-791: f1 7.62237e6 (rho/250) exp(0.1 (T_f - T) +
   !> 0.023 rho) [Pa s], load as pressure, f1 = 1/(1 + 60 theta_liquid), without the stiffness of depth hoar (f2 = 1).
   !> CLM5 (Technical Note, chapter 8): f2 = 4, 450 for 250, and the load as mass, 20 times stiffer.
   pure subroutine add_overburden_rate(options, temperature, density, liquid_density, load, rate)
      type(snow_options_type), intent(in) :: options
      real(rk), intent(in) :: temperature(w)    !! [K]
      real(rk), intent(in) :: density(w)        !! of ice [kg m-3]
      real(rk), intent(in) :: liquid_density(w) !! mass of liquid per volume of snow [kg m-3]
      real(rk), intent(in) :: load(w)           !! mass above the middle of the layer [kg m-2]
      real(rk), intent(inout) :: rate(w)        !! shrinking share of thickness [s-1]
      real(rk) :: scale
      integer :: i
      if (options%overburden == overburden_anderson) then
         do i = 1, w
            rate(i) = rate(i) + load(i)/9.0e5_rk*exp(-0.08_rk*(freezing_point - temperature(i)) - 0.023_rk*density(i))
         end do
      else
         scale = merge(gravity*250.0_rk, 450.0_rk/4.0_rk, options%overburden == overburden_vionnet)/7.62237e6_rk
         do i = 1, w
            rate(i) = rate(i) + scale*load(i)*(1.0_rk + 60.0_rk*liquid_density(i)/density_water)/density(i) &
               *exp(-0.1_rk*(freezing_point - temperature(i)) - 0.023_rk*density(i))
         end do
      end if
   end subroutine add_overburden_rate

   !> Packing of snow by drift, from the surface down: d rho/dt = (350 - rho)/tau.
   !>
   !> Vionnet et al. (2012) for rounded grains of 0.35 mm as in van Kampenhout et al. (2017):
   !> mobility 0.34 (-0.583 grain) + 0.66 (1.25 - 0.0042 (max(50, rho) - 50)), driftability 1 - 2.868 exp(-0.085 U) +
   !> mobility (at most 3.25), 1/tau = driftability exp(-z/0.1)/(48 h) with z = the sum of thickness (3.25 -
   !> driftability) above. A layer that wind cannot move shelters all below it.
   pure subroutine drift_packing(dt, wind_speed, density, thickness, sheltered, packing)
      real(rk), intent(in) :: dt              !! time step [s]
      real(rk), intent(in) :: wind_speed(w)   !! [m s-1]
      real(rk), intent(in) :: density(w)      !! of ice [kg m-3]
      real(rk), intent(in) :: thickness(w)    !! of the layer [m]
      real(rk), intent(inout) :: sheltered(w) !! pseudo-depth of the layer's top, negative below immobile snow [m]
      real(rk), intent(out) :: packing(w)     !! thickness after over thickness before [1]
      real(rk), parameter :: densest = 350.0_rk    ! that wind packs snow to [kg m-3]
      real(rk), parameter :: lightest = 50.0_rk    ! [kg m-3]
      real(rk), parameter :: time_scale = 48.0_rk*3600.0_rk ! [s]
      real(rk), parameter :: drift_depth = 0.1_rk  ! e-folding pseudo-depth [m]
      real(rk), parameter :: grain = 0.35_rk       ! [mm]
      real(rk), parameter :: largest = 3.25_rk     ! driftability [1]
      real(rk) :: mobility, driftability, half, relaxed
      logical :: moves, present
      integer :: i
      do i = 1, w
         present = thickness(i) > 0.0_rk
         mobility = -0.34_rk*0.583_rk*grain + 0.66_rk*(1.25_rk - 0.0042_rk*(max(density(i), lightest) - lightest))
         driftability = min(1.0_rk - 2.868_rk*exp(-0.085_rk*wind_speed(i)) + mobility, largest)
         moves = driftability > 0.0_rk .and. sheltered(i) >= 0.0_rk
         half = merge(0.5_rk*thickness(i)*(largest - driftability), 0.0_rk, moves)
         relaxed = exp(-dt*merge(driftability, 0.0_rk, moves)/time_scale &
                       *exp(-(max(sheltered(i), 0.0_rk) + half)/drift_depth))
         packing(i) = density(i)/(densest - (densest - density(i))*relaxed)
         packing(i) = merge(packing(i), 1.0_rk, moves .and. density(i) < densest)
         sheltered(i) = merge(merge(sheltered(i) + 2.0_rk*half, -1.0_rk, moves), sheltered(i), present)
      end do
   end subroutine drift_packing

end module pl_snow_compaction
