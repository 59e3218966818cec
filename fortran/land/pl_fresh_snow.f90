!> New snow: its density, its grains, and how it joins the pack.
module pl_fresh_snow
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   use pl_snow_chunk, only: smallest_grain, snow_chunk_type
   use pl_snow_cover, only: least_cover
   use pl_snow_options, only: fresh_density_clm5
   implicit none (type, external)
   private
   public :: add_snowfall, fresh_snow_density, warmest_grain

   real(rk), parameter :: warmest_grain = 204.5_rk    !! optical radius of new snow at and above 0 degC [um]
   real(rk), parameter :: coldest_grain_at = -30.0_rk !! temperature below which new snow is finest [degC]

contains

   !> Density of new snow.
   !>
   !> Warmer than -15 degC: 50 + 1.7 (T + 15)**1.5, constant above 2 degC (Anderson 1976, NOAA Tech. Rep. NWS 19).
   !> CLM5 adds colder snow, -3.833 T - 0.0333 T**2 down to the maximum of that parabola at -57.55 degC, and
   !> packing by wind, 266.861 ((1 + tanh(U/5))/2)**8.8 (van Kampenhout et al. 2017, J. Adv. Model. Earth Syst. 9,
   !> 2583-2600; CLM5 Technical Note, chapter 8). CLM4.5 has 50 below -15 degC and no wind.
   pure subroutine fresh_snow_density(scheme, air_temperature, wind_speed, density)
      integer, intent(in) :: scheme               !! fresh_density_clm45 or fresh_density_clm5
      real(rk), intent(in) :: air_temperature(w)  !! [K]
      real(rk), intent(in) :: wind_speed(w)       !! some 10 m above ground [m s-1]
      real(rk), intent(out) :: density(w)         !! [kg m-3]
      real(rk), parameter :: cold = -15.0_rk, warm = 2.0_rk, coldest = -57.55_rk ! [degC]
      real(rk) :: celsius, above, parabola, packed
      integer :: i
      do i = 1, w
         celsius = air_temperature(i) - freezing_point
         above = min(max(celsius, cold), warm) - cold
         density(i) = 50.0_rk + 1.7_rk*above*sqrt(above)
      end do
      if (scheme /= fresh_density_clm5) return
      do i = 1, w
         celsius = max(air_temperature(i) - freezing_point, coldest)
         parabola = -(3.833_rk + 0.0333_rk*celsius)*celsius
         density(i) = merge(density(i), parabola, celsius > cold)
         packed = 0.5_rk*(1.0_rk + tanh(0.2_rk*wind_speed(i))) ! 0.5 at least
         density(i) = density(i) + 266.861_rk*exp(8.8_rk*log(packed))
      end do
   end subroutine fresh_snow_density

   !> Let snow fall on the pack, or on bare ground.
   !>
   !> Snow joins the surface layer, at that layer's temperature. On bare ground it makes the lowest layer, not warmer
   !> than freezing, in a pack of the least cover, which update_snow_cover spreads. The grain radius
   !> of new snow rises linearly from 54.5 um at -30 degC to 204.5 um at 0 degC (CLM5 Technical Note, chapter 3);
   !> the layer takes the mean by mass.
   pure subroutine add_snowfall(dt, rate, air_temperature, density, snow)
      real(rk), intent(in) :: dt                 !! time step [s]
      real(rk), intent(in) :: rate(w)            !! snowfall, not negative [kg m-2 s-1]
      real(rk), intent(in) :: air_temperature(w) !! [K]
      real(rk), intent(in) :: density(w)         !! of new snow, positive [kg m-3]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk) :: fresh_grain(w), added, old
      integer :: target(w), i, k
      logical :: first
      if (all(rate <= 0.0_rk)) return
      do i = 1, w
         fresh_grain(i) = smallest_grain + (warmest_grain - smallest_grain) &
            *min(max(1.0_rk - (air_temperature(i) - freezing_point)/coldest_grain_at, 0.0_rk), 1.0_rk)
         first = rate(i) > 0.0_rk .and. snow%top(i) > snow%nsnow
         snow%top(i) = merge(snow%nsnow, snow%top(i), first)
         snow%cover(i) = merge(least_cover, snow%cover(i), first)
         snow%temperature(i, snow%nsnow) = merge(min(air_temperature(i), freezing_point), &
                                                 snow%temperature(i, snow%nsnow), first)
         target(i) = merge(snow%top(i), 0, rate(i) > 0.0_rk)
      end do
      do k = 1, snow%nsnow
         do i = 1, w
            added = merge(dt*rate(i), 0.0_rk, k == target(i))
            old = snow%ice(i, k) + snow%liquid(i, k)
            ! no change, bit for bit, where nothing falls; a rate above 0 leaves a mass above 0
            snow%grain_radius(i, k) = merge((old*snow%grain_radius(i, k) + added*fresh_grain(i)) &
                                            /merge(old + added, 1.0_rk, added > 0.0_rk), snow%grain_radius(i, k), &
                                            added > 0.0_rk)
            snow%dust_age(i, k) = merge(snow%dust_age(i, k)*old/merge(old + added, 1.0_rk, added > 0.0_rk), &
                                        snow%dust_age(i, k), added > 0.0_rk)
            snow%ice(i, k) = snow%ice(i, k) + added
            snow%thickness(i, k) = snow%thickness(i, k) + added/(density(i)*max(snow%cover(i), least_cover))
         end do
      end do
   end subroutine add_snowfall

end module pl_fresh_snow
