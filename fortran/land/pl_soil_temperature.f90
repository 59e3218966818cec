!> Heat conduction in the soil column, one implicit step.
!>
!> Finite volumes with conductances in series between layer centres (CLM Technical Note eq. 6.11). In time the
!> L-stable, second-order SDIRK scheme of Alexander (1977, SIAM J. Numer. Anal. 14, 1006-1021), gamma = 1 - 1/sqrt(2):
!> both stages share one tridiagonal factorisation, and thin top layers do not ring as under Crank-Nicolson.
!> With C the heat capacities per area, F(T) the net flux into each layer, T0 the start and delta = T - T0,
!>
!>     C delta1 = gamma dt F(T0 + delta1)
!>     C delta2 = (1 - gamma) dt F(T0 + delta1) + gamma dt F(T0 + delta2),   T = T0 + delta2
module pl_soil_temperature
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: soil_temperature_step

   real(rk), parameter :: stage = 1.0_rk - sqrt(0.5_rk) !! gamma of Alexander's scheme [1]

contains

   !> Advance the soil temperature by one step.
   !>
   !> The surface flux is linear in the temperature T1 of the top layer: flux + slope*(T1 - T1_start). Energy closes to
   !> round-off: heat_change = dt*(surface_flux + surface_flux_slope*mean_surface_change + bottom_flux).
   pure subroutine soil_temperature_step(dt, nlayer, thickness, conductivity, heat_capacity, temperature, &
                                         surface_flux, surface_flux_slope, bottom_flux, mean_surface_change, &
                                         heat_change)
      real(rk), intent(in) :: dt                       !! time step [s]
      integer, intent(in) :: nlayer                    !! thermal layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      real(rk), intent(in) :: conductivity(w, nlayer)  !! [W m-1 K-1]
      real(rk), intent(in) :: heat_capacity(w, nlayer) !! volumetric [J m-3 K-1]
      real(rk), intent(inout) :: temperature(w, nlayer) !! [K]
      real(rk), intent(in) :: surface_flux(w)          !! into the soil at the start's temperature [W m-2]
      real(rk), intent(in) :: surface_flux_slope(w)    !! derivative to T1, not positive [W m-2 K-1]
      real(rk), intent(in) :: bottom_flux(w)           !! into the lowest layer from below [W m-2]
      real(rk), intent(out) :: mean_surface_change(w)  !! mean of T1 - T1_start over the step as the flux sees it [K]
      real(rk), intent(out) :: heat_change(w)          !! gain of the column [J m-2]
      real(rk) :: capacity(w, nlayer)     ! heat capacity per area [J m-2 K-1]
      real(rk) :: coupling(w, nlayer)     ! gamma dt times the conductance to the layer below [J m-2 K-1]
      real(rk) :: inverse(w, nlayer)      ! inverse pivots of the factorisation [m2 K J-1]
      real(rk) :: forced(w, nlayer)       ! gamma dt F(T0) [J m-2]
      real(rk) :: first(w, nlayer)        ! increment of the first stage [K]
      real(rk) :: second(w, nlayer)       ! increment of the second stage [K]
      integer :: i, k

      call assemble(dt, nlayer, thickness, conductivity, heat_capacity, temperature, surface_flux, surface_flux_slope, &
                    bottom_flux, capacity, coupling, inverse, forced)
      first = forced
      call substitute(nlayer, coupling, inverse, first)
      do k = 1, nlayer
         do i = 1, w
            second(i, k) = forced(i, k) + (1.0_rk - stage)/stage*capacity(i, k)*first(i, k)
         end do
      end do
      call substitute(nlayer, coupling, inverse, second)
      do i = 1, w
         mean_surface_change(i) = (1.0_rk - stage)*first(i, 1) + stage*second(i, 1)
         heat_change(i) = 0.0_rk
      end do
      do k = 1, nlayer
         do i = 1, w
            temperature(i, k) = temperature(i, k) + second(i, k)
            heat_change(i) = heat_change(i) + capacity(i, k)*second(i, k)
         end do
      end do
   end subroutine soil_temperature_step

   !> Matrix C - gamma dt dF/dT, factorised, and right-hand side gamma dt F(T0).
   pure subroutine assemble(dt, nlayer, thickness, conductivity, heat_capacity, temperature, surface_flux, &
                            surface_flux_slope, bottom_flux, capacity, coupling, inverse, forced)
      real(rk), intent(in) :: dt                       !! [s]
      integer, intent(in) :: nlayer                    !! [1]
      real(rk), intent(in) :: thickness(w, nlayer)     !! [m]
      real(rk), intent(in) :: conductivity(w, nlayer)  !! [W m-1 K-1]
      real(rk), intent(in) :: heat_capacity(w, nlayer) !! [J m-3 K-1]
      real(rk), intent(in) :: temperature(w, nlayer)   !! [K]
      real(rk), intent(in) :: surface_flux(w)          !! [W m-2]
      real(rk), intent(in) :: surface_flux_slope(w)    !! [W m-2 K-1]
      real(rk), intent(in) :: bottom_flux(w)           !! [W m-2]
      real(rk), intent(out) :: capacity(w, nlayer)     !! [J m-2 K-1]
      real(rk), intent(out) :: coupling(w, nlayer)     !! [J m-2 K-1]
      real(rk), intent(out) :: inverse(w, nlayer)      !! [m2 K J-1]
      real(rk), intent(out) :: forced(w, nlayer)       !! [J m-2]
      real(rk) :: weight, heat
      integer :: i, k
      weight = stage*dt
      do k = 1, nlayer - 1
         do i = 1, w
            coupling(i, k) = weight*2.0_rk*conductivity(i, k)*conductivity(i, k + 1) &
                             /(thickness(i, k)*conductivity(i, k + 1) + thickness(i, k + 1)*conductivity(i, k))
         end do
      end do
      do i = 1, w
         coupling(i, nlayer) = 0.0_rk
         capacity(i, 1) = heat_capacity(i, 1)*thickness(i, 1)
         inverse(i, 1) = 1.0_rk/(capacity(i, 1) + coupling(i, 1) - weight*surface_flux_slope(i))
         forced(i, 1) = weight*surface_flux(i)
      end do
      do k = 2, nlayer
         do i = 1, w
            capacity(i, k) = heat_capacity(i, k)*thickness(i, k)
            heat = coupling(i, k - 1)*(temperature(i, k - 1) - temperature(i, k))
            forced(i, k - 1) = forced(i, k - 1) - heat
            forced(i, k) = heat
            inverse(i, k) = 1.0_rk/(capacity(i, k) + coupling(i, k) &
                                    + coupling(i, k - 1)*(1.0_rk - coupling(i, k - 1)*inverse(i, k - 1)))
         end do
      end do
      do i = 1, w
         forced(i, nlayer) = forced(i, nlayer) + weight*bottom_flux(i)
      end do
   end subroutine assemble

   !> Solve with the factorised matrix, in place.
   pure subroutine substitute(nlayer, coupling, inverse, solution)
      integer, intent(in) :: nlayer                  !! [1]
      real(rk), intent(in) :: coupling(w, nlayer)    !! [J m-2 K-1]
      real(rk), intent(in) :: inverse(w, nlayer)     !! [m2 K J-1]
      real(rk), intent(inout) :: solution(w, nlayer) !! in: right-hand side [J m-2]; out: [K]
      integer :: i, k
      do i = 1, w
         solution(i, 1) = solution(i, 1)*inverse(i, 1)
      end do
      do k = 2, nlayer
         do i = 1, w
            solution(i, k) = (solution(i, k) + coupling(i, k - 1)*solution(i, k - 1))*inverse(i, k)
         end do
      end do
      do k = nlayer - 1, 1, -1
         do i = 1, w
            solution(i, k) = solution(i, k) + coupling(i, k)*inverse(i, k)*solution(i, k + 1)
         end do
      end do
   end subroutine substitute

end module pl_soil_temperature
