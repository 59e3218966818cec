!> Coherent emission of ground whose permittivity changes with depth (Wilheit 1978, IEEE Trans. Geosci. Electron. 16, 138-143).
!>
!> A plane wave that falls on a stack of homogeneous layers over a half space: what of its power is absorbed in a layer is,
!> by reciprocity, the weight f of that layer's temperature in the brightness, TB = sum f_i T_i, and sum f_i = 1 - R. The
!> reflection coefficient G of all that lies below an interface follows from the bottom up,
!>
!>     G_j = (rho_j + G_(j+1) E_j)/(1 + rho_j G_(j+1) E_j),  E_j = exp(2 i k_j d_j),  k_j = k_0 (eps_j - sin(theta)**2)**(1/2)
!>
!> with Fresnel's rho_j between the layers above and below; then the wave is followed downward and the power flux
!> Re(E conj(H)) is taken at each interface. All exponentials decay, so that no layer is too thick. Layers must be thin
!> against the wavelength in the ground (21 cm over the refractive index at L-band): steps between thick layers resonate.
module pl_layered_emission
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: pi
   use pl_kinds, only: rk
   use pl_tau_omega, only: horizontal, npolarisation, vertical
   implicit none (type, external)
   private
   public :: layered_absorption

   real(rk), parameter :: light_speed = 2.99792458e8_rk !! [m s-1]

contains

   !> Share of a wave's power that each layer absorbs, for both polarisations.
   pure subroutine layered_absorption(nlayer, frequency, cosine, real_part, loss, thickness, weight)
      integer, intent(in) :: nlayer                   !! layers, the last one without a bottom
      real(rk), intent(in) :: frequency               !! [Hz]
      real(rk), intent(in) :: cosine(w)               !! of the incidence angle, above 0 [1]
      real(rk), intent(in) :: real_part(w, nlayer)    !! eps', at least 1 [1]
      real(rk), intent(in) :: loss(w, nlayer)         !! eps'', at least 0 [1]
      real(rk), intent(in) :: thickness(nlayer)       !! that of the last one is not used [m]
      real(rk), intent(out) :: weight(w, nlayer, npolarisation) !! f [1]
      complex(rk) :: admittance(w, 0:nlayer), one_way(w, nlayer), root(w, nlayer)
      real(rk) :: a, depth, p(w), q(w), wavenumber
      integer :: i, j
      wavenumber = 2.0_rk*pi*frequency/light_speed
      do j = 1, nlayer
         depth = wavenumber*thickness(j)
         do i = 1, w
            a = real_part(i, j) - 1.0_rk + cosine(i)*cosine(i) ! eps - sin(theta)**2 = (p + i q)**2
            p(i) = sqrt(0.5_rk*(sqrt(a*a + loss(i, j)*loss(i, j)) + a))
            q(i) = 0.5_rk*loss(i, j)/p(i)
            root(i, j) = cmplx(p(i), q(i), rk)
         end do
         do i = 1, w
            q(i) = exp(-depth*q(i))
            one_way(i, j) = cmplx(q(i)*cos(depth*p(i)), q(i)*sin(depth*p(i)), rk)
         end do
      end do
      admittance(:, 0) = cosine
      admittance(:, 1:) = root
      call follow_wave(nlayer, admittance, one_way, weight(:, :, horizontal))
      do i = 1, w
         admittance(i, 0) = 1.0_rk/cosine(i)
      end do
      do j = 1, nlayer
         do i = 1, w
            admittance(i, j) = quotient(cmplx(real_part(i, j), loss(i, j), rk), root(i, j))
         end do
      end do
      call follow_wave(nlayer, admittance, one_way, weight(:, :, vertical))
   end subroutine layered_absorption

   !> Reflection from the bottom up, then the power flux from the top down.
   pure subroutine follow_wave(nlayer, admittance, one_way, weight)
      integer, intent(in) :: nlayer                      !! layers
      complex(rk), intent(in) :: admittance(w, 0:nlayer) !! over that of free space; 0 is the air [1]
      complex(rk), intent(in) :: one_way(w, nlayer)      !! change of the wave through a layer [1]
      real(rk), intent(out) :: weight(w, nlayer)         !! share of the power absorbed [1]
      complex(rk) :: amplitude(w), back, below(w, nlayer + 1), rho, under
      real(rk) :: flux(w), next
      integer :: i, j
      below(:, nlayer + 1) = (0.0_rk, 0.0_rk)
      do j = nlayer, 1, -1
         do i = 1, w
            rho = quotient(admittance(i, j - 1) - admittance(i, j), admittance(i, j - 1) + admittance(i, j))
            back = below(i, j + 1)*one_way(i, j)*one_way(i, j)
            below(i, j) = quotient(rho + back, 1.0_rk + rho*back)
         end do
      end do
      do i = 1, w
         flux(i) = 1.0_rk - real(below(i, 1)*conjg(below(i, 1)), rk)
         amplitude(i) = 1.0_rk + below(i, 1) ! tangential field at the surface over that of the wave that comes in
      end do
      do j = 1, nlayer
         do i = 1, w
            back = below(i, j + 1)*one_way(i, j)*one_way(i, j)
            under = quotient(amplitude(i), 1.0_rk + back)*one_way(i, j) ! downward wave at the bottom of the layer
            amplitude(i) = under*(1.0_rk + below(i, j + 1))
            next = 0.0_rk
            if (j < nlayer) next = transmitted(amplitude(i), admittance(i, j), under, below(i, j + 1), admittance(i, 0))
            weight(i, j) = flux(i) - next
            flux(i) = next
         end do
      end do
   end subroutine follow_wave

   !> Power flux through the bottom of a layer over that of the wave that comes in.
   elemental real(rk) function transmitted(field, admittance, down, reflection, air)
      complex(rk), intent(in) :: field      !! tangential electric field there [1]
      complex(rk), intent(in) :: admittance !! of the layer [1]
      complex(rk), intent(in) :: down       !! downward wave there [1]
      complex(rk), intent(in) :: reflection !! coefficient of what lies below [1]
      complex(rk), intent(in) :: air        !! admittance of the air, real [1]
      transmitted = real(field*conjg(admittance*down*(1.0_rk - reflection)), rk)/real(air, rk)
   end function transmitted

   !> Quotient of complex numbers whose squares neither overflow nor vanish.
   elemental complex(rk) function quotient(a, b)
      complex(rk), intent(in) :: a !! dividend
      complex(rk), intent(in) :: b !! divisor, not 0
      quotient = a*conjg(b)/real(b*conjg(b), rk)
   end function quotient

end module pl_layered_emission
